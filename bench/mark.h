/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where what is measured begins and ends, for bench/profile/: instructions that do
 * nothing, and that nobody else has.
 */
#ifndef BENCH_MARK_H
#define BENCH_MARK_H

/* nopl with a displacement: opcode of two bytes, operand, four bytes that spell a name. */
#define MARK_SIZE		7
#define MARK_BEGIN_BYTES	{ 0x0f, 0x1f, 0x80, 'k', 'm', 'b', '(' }
#define MARK_END_BYTES		{ 0x0f, 0x1f, 0x80, 'k', 'm', 'e', ')' }

#define MARK(last) \
	asm volatile(".byte 0x0f, 0x1f, 0x80, 'k', 'm', " last : : : "memory")
#define MARK_BEGIN()	MARK("'b', '('")
#define MARK_END()	MARK("'e', ')'")

#endif /* BENCH_MARK_H */
