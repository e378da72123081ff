// SPDX-License-Identifier: GPL-2.0
/* Pages and tables that are lied about, those that are not, and how they come to be absent. */
#include <stdlib.h>
#include <string.h>
#include "enemy.h"

static const unsigned int target_types[TABLE] = {
	[SEALED] = KT_SMALL, [SIGNED] = KT_SIGNED, [CHECKED] = KT_CHECKED, [WHOLE] = KT_PAGE,
};

/* The second is TABLE. */
const uint64_t tables[TABLES] = {
	PAGE_OF(1, 0), PAGE_OF(1, 1), PAGE_OF(1, 2), PAGE_OF(2, 0), PAGE_OF(3, 0), PAGE_OF(4, 0),
};

static void fill(enum target_kind kind, void *obj, uint64_t seed)
{
	struct kt_checked *checked = obj;
	struct kt_signed *sig = obj;

	switch (kind) {
	case SEALED:
		small_fill(obj, seed);
		break;
	case SIGNED:
		memset(sig, 0, sizeof(*sig));
		sig->number = seed;
		bytes_fill(sig->name, 20, seed);
		bytes_fill(sig->data, sizeof(sig->data), seed);
		break;
	case CHECKED:
		*checked = (struct kt_checked) {
			.colour = 1 + seed % KT_COLOURS, .flags = KT_FLAGS, .len = 7,
			.number = seed, .bytes = "what is", .note = "note",
		};
		checked->sum = KT_SUM(checked);
		break;
	default:
		bytes_fill(obj, 200, seed);
		memset((char *)obj + 200, 0, 4096 - 200);
	}
}

static size_t size_of(enum target_kind kind)
{
	static const size_t sizes[TABLE] = {
		sizeof(struct kt_small), sizeof(struct kt_signed), sizeof(struct kt_checked), 4096,
	};

	return sizes[kind];
}

static void corpus_add(struct enemy *self, struct store *store, uint64_t page,
		       uint64_t version)
{
	struct stored *rec = store_get(store, page, version);

	if (rec && self->nr_corpus < CORPUS)
		self->corpus[self->nr_corpus++] = *rec;
}

/* An object of the kind, exported three times, and absent at last. */
int make_target(struct enemy *self, struct bed *bed, enum target_kind kind)
{
	struct target *target = &self->targets[kind];
	static uint8_t obj[4096];
	uint64_t ref, page;
	unsigned int i;
	int ret;

	fill(kind, obj, 1);
	ret = kt_new(bed->client, 0, target_types[kind], obj, size_of(kind), &ref);
	page = KT_REF_INDEX(ref);
	for (i = 0; i < 3 && !ret; i++) {
		fill(kind, obj, 100 * kind + i);
		ret = kt_set(bed->client, 0, target_types[kind], ref, obj, size_of(kind)) ?:
		      pager_preempt(&bed->pager, page);
		if (ret)
			break;
		corpus_add(self, bed->store, page, bed->pager.res.version);
		if (bed == &self->bed) {
			target->page = page;
			target->version = bed->pager.res.version;
			target->slots = 4096 / size_of(kind);
			target->rec = *store_get(bed->store, page, target->version);
		}
		if (i < 2)
			ret = pager_answer(&bed->pager, page, bed->pager.res.version);
	}
	return ret;
}

/* The table under which they all are would take them with it: another one. */
int make_table(struct enemy *self)
{
	struct target *target = &self->targets[TABLE];
	unsigned int i;
	uint64_t ref;
	int ret = 0;

	for (ref = 0; KT_REF_INDEX(ref) < 2 * 512 + 8 && !ret; ) {
		ret = kt_new(self->fd, 0, KT_TRIM, "page", 4, &ref) ?:
		      pager_preempt(self->pager, KT_REF_INDEX(ref));
	}
	target->page = tables[1];
	target->slots = 256;
	for (i = 0; i < 2 && !ret; i++) {
		ret = pager_preempt(self->pager, target->page);
		target->version = self->pager->res.version;
		corpus_add(self, self->bed.store, target->page, target->version);
		if (!i)
			ret = ret ?: pager_answer(self->pager, target->page, target->version) ?:
			      kt_del(self->fd, 0, KT_TRIM, 600ULL << 8);
	}
	if (!ret)
		target->rec = *store_get(self->bed.store, target->page, target->version);
	return ret;
}

int make_good(struct enemy *self)
{
	static struct kt_page page;
	unsigned int i;
	int ret = 0;

	self->good = shared_alloc(GOOD * sizeof(*self->good));
	self->seeds = shared_alloc(GOOD * sizeof(*self->seeds));
	for (i = 0; i < GOOD && !ret; i++) {
		self->seeds[i] = 1000000 * i;
		bytes_fill(&page, sizeof(page), self->seeds[i]);
		ret = kt_new(self->fd, 0, KT_PAGE, &page, sizeof(page), &self->good[i]);
		if (!ret && i % 2)
			ret = pager_preempt(self->pager, KT_REF_INDEX(self->good[i]));
	}
	return ret;
}

/* What is absent the pager's own process cannot have. */
int good_are_good(struct enemy *self)
{
	static struct kt_page page, want;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < GOOD && !ret; i++) {
		bytes_fill(&want, sizeof(want), self->seeds[i]);
		ret = kt_get(self->fd, 0, KT_PAGE, self->good[i], &page, sizeof(page));
		if (ret == -EDEADLK)
			ret = bed_fault_back(&self->bed, self->good[i], &want);
		else if (!ret && memcmp(&page, &want, sizeof(page)))
			ret = -EILSEQ;
	}
	return ret;
}
/* It is absent then, its record in the corpus; other domains have fewer of them. */
static int hide(struct enemy *self, struct bed *bed, uint64_t page)
{
	struct kmdom_page at;
	int ret = pager_look(&bed->pager, page, &at);

	if (ret == -ENOENT)
		return 0;
	if (!ret && at.state == KMDOM_PAGE_PRESENT) {
		ret = pager_preempt(&bed->pager, page);
		at.version = bed->pager.res.version;
	}
	if (ret || !PAGE_LEVEL(page))
		return ret;
	corpus_add(self, bed->store, page, at.version);
	if (bed == &self->bed && (PAGE_LEVEL(page) > 1 || page == self->targets[TABLE].page)) {
		struct target *target = &self->targets[TABLE + PAGE_LEVEL(page) - 1];

		target->page = page;
		target->version = at.version;
		target->slots = 256;
		target->rec = *store_get(bed->store, page, at.version);
	}
	return 0;
}

/* All that the domain has. */
static int hide_all(struct enemy *self, struct bed *bed)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < GOOD && bed == &self->bed && !ret; i++)
		ret = hide(self, bed, KT_REF_INDEX(self->good[i]));
	for (i = 0; i < TABLES && !ret; i++)
		ret = hide(self, bed, tables[i]);
	return ret;
}

int show(struct enemy *self, uint64_t page)
{
	struct kmdom_page at;
	int ret = pager_look(self->pager, page, &at);

	return ret ?: pager_answer(self->pager, page, at.version);
}

/* As it was found: the pages of every second good object, and what is over them. */
int show_rest(struct enemy *self)
{
	unsigned int i;
	int ret = show(self, tables[0]) ?: show(self, tables[2]);

	for (i = 0; i < GOOD && !ret; i += 2)
		ret = show(self, KT_REF_INDEX(self->good[i]));
	return ret;
}

/* The tables of higher levels come to be absent, for the second time. */
int hide_tables(struct enemy *self)
{
	unsigned int level;
	int ret = hide_all(self, &self->other) ?: hide_all(self, &self->bed);

	for (level = KMDOM_LEVELS; level > 1 && !ret; level--)
		ret = show(self, PAGE_OF(level, 0));
	return ret ?: show_rest(self) ?: hide_all(self, &self->bed);
}
