/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pager that lies, and what it lies about.
 *
 *	enemy_test.c	the tests
 *	targets.c	what is lied about, what is not, and how it comes to be absent
 *	lies.c		the generator of records
 *	oracle.c	which of them must be taken
 *	tell.c		they are told, and what becomes of them
 *	arena.c		threads that do operations in any order, and one that is honest
 *	chaos.c		those operations
 *	users.c		clients of good objects meanwhile
 *	makers.c	clients whose objects come and go
 */
#ifndef KT_ENEMY_H
#define KT_ENEMY_H

#include <stdbool.h>
#include <stdint.h>
#include "bed.h"
#include "draw.h"

#define FRAMES		256
#define BATCH		32
#define HEADER		sizeof(struct kmdom_record)
#define TAG		16
#define CORPUS		64
#define GOOD		24	/* pages that are not lied about */
#define TABLES		6

/* Whom the lies are about. */
enum target_kind { SEALED, SIGNED, CHECKED, WHOLE, TABLE, ROOT = TABLE + KMDOM_LEVELS - 1,
		   TARGETS };

struct target {
	uint64_t page;		/* its name, as PAGE_OF() */
	uint64_t version;
	unsigned int slots;
	struct stored rec;	/* the one that must be taken */
};

struct lie {
	enum target_kind about;
	uint64_t version;	/* of the operation */
	uint32_t len;
	uint8_t data[KMDOM_RECORD_MAX + 64];
	bool fair;		/* the oracle finds it valid */
};

struct enemy {
	struct bed bed;
	struct bed other;		/* whose records are another domain's */
	struct pager *pager;
	int fd;
	uint64_t state;
	struct target targets[TARGETS];
	unsigned int level;		/* of the highest table that is absent */
	struct stored corpus[CORPUS];
	unsigned int nr_corpus;
	uint64_t *good;			/* objects of KT_PAGE, absent and present; shared */
	uint64_t *seeds;		/* what they hold; shared */
	uint64_t rejects[KMDOM_LEVELS + 1][KMDOM_NR_REJECTS];	/* by level of the page */
	uint64_t accepted[KMDOM_LEVELS + 1];
	uint64_t wrong;
	struct lie lies[BATCH];
};

/* Those that there are, from below; the highest ones are one each. */
extern const uint64_t tables[TABLES];

int make_target(struct enemy *self, struct bed *bed, enum target_kind kind);
int make_table(struct enemy *self);
int make_good(struct enemy *self);
int good_are_good(struct enemy *self);
int hide_tables(struct enemy *self);
int show(struct enemy *self, uint64_t page);
int show_rest(struct enemy *self);

void lie_make(struct enemy *self, struct lie *lie);
bool of_tables(enum kmdom_reject why);

bool checked_parse(const uint8_t *pos, size_t left, struct kt_checked *obj);
bool is_fair(const struct target *target, const struct lie *lie);

int tell_level(struct enemy *self, unsigned int level, uint64_t replies, uint64_t *told);
uint64_t sum_levels(struct enemy *self, enum kmdom_reject why);
uint64_t print_counts(struct enemy *self, uint64_t told);

#endif /* KT_ENEMY_H */
