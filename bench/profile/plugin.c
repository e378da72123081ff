// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A plugin of QEMU's emulator that counts which instructions a part of a run executes
 *
 * qemu-system-x86_64 -plugin file=profile.so,out=FILE
 *
 * The part is all that lies between the two marks of bench/mark.h, whoever executes them.
 * At its end FILE has a line a block of instructions that follow each other: its address,
 * how many there are, and how often it was executed.
 *
 * What QEMU declares in qemu-plugin.h, which Debian has in no package, is declared here,
 * as far as it is needed: the interface is version 1, of QEMU 4.2 and later. Blocks are
 * counted by one processor: the machine must have no more.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../mark.h"

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

typedef void (*tb_trans_fn)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*exec_fn)(unsigned int vcpu, void *arg);
typedef void (*end_fn)(qemu_plugin_id_t id, void *arg);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_trans_fn fn);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, enum qemu_plugin_op op,
					      void *counter, uint64_t add);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, exec_fn fn,
					    enum qemu_plugin_cb_flags flags, void *arg);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, end_fn fn, void *arg);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

#define BUCKETS	(1U << 16)

/* Blocks of one address and length; QEMU may translate it more than once. */
struct block {
	struct block *next;
	uint64_t address;
	size_t len;
	uint64_t count;		/* since the machine began */
	uint64_t before;	/* of these, before the part began */
	uint64_t inside;	/* in parts that have ended */
};

static struct block *blocks[BUCKETS];
static uint64_t parts;
static bool inside;
static const char *path;

static struct block *block_of(uint64_t address, size_t len)
{
	struct block **bucket = &blocks[(address ^ address >> 16 ^ len) % BUCKETS];
	struct block *block;

	for (block = *bucket; block; block = block->next)
		if (block->address == address && block->len == len)
			return block;
	block = calloc(1, sizeof(*block));
	if (!block)
		abort();
	block->address = address;
	block->len = len;
	block->next = *bucket;
	*bucket = block;
	return block;
}

static void begin(unsigned int vcpu, void *arg)
{
	struct block *block;
	size_t i;

	for (i = 0; i < BUCKETS; i++)
		for (block = blocks[i]; block; block = block->next)
			block->before = block->count;
	inside = true;
}

static void end(unsigned int vcpu, void *arg)
{
	struct block *block;
	size_t i;

	if (!inside)
		return;
	for (i = 0; i < BUCKETS; i++)
		for (block = blocks[i]; block; block = block->next) {
			block->inside += block->count - block->before;
			block->before = block->count;
		}
	inside = false;
	parts++;
}

static void look_for_marks(struct qemu_plugin_tb *tb, size_t len)
{
	static const unsigned char marks[][MARK_SIZE] = { MARK_BEGIN_BYTES, MARK_END_BYTES };
	static const exec_fn fns[] = { begin, end };
	struct qemu_plugin_insn *insn;
	size_t i, mark;

	for (i = 0; i < len; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		if (qemu_plugin_insn_size(insn) != MARK_SIZE)
			continue;
		for (mark = 0; mark < 2; mark++)
			if (!memcmp(qemu_plugin_insn_data(insn), marks[mark], MARK_SIZE))
				qemu_plugin_register_vcpu_insn_exec_cb(insn, fns[mark],
								       QEMU_PLUGIN_CB_NO_REGS,
								       NULL);
	}
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t len = qemu_plugin_tb_n_insns(tb);
	struct block *block = block_of(qemu_plugin_tb_vaddr(tb), len);

	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &block->count, 1);
	look_for_marks(tb, len);
}

static void write_all(qemu_plugin_id_t id, void *arg)
{
	FILE *file = fopen(path, "w");
	struct block *block;
	size_t i;

	if (!file) {
		perror(path);
		return;
	}
	fprintf(file, "parts %" PRIu64 "\n", parts);
	for (i = 0; i < BUCKETS; i++)
		for (block = blocks[i]; block; block = block->next)
			if (block->inside)
				fprintf(file, "%" PRIx64 " %zu %" PRIu64 "\n", block->address,
					block->len, block->inside);
	if (fclose(file))
		perror(path);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc,
			       char **argv)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "profile: out=FILE is missing\n");
		return -1;
	}
	path = strdup(argv[0] + 4);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	qemu_plugin_register_atexit_cb(id, write_all, NULL);
	return 0;
}
