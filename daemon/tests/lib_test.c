// SPDX-License-Identifier: GPL-2.0
/*
 * libkmdom as others get it: built against what was installed, and linked with
 * the shared library. What needs no kernel module.
 */
#include <endian.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <unistd.h>
#include <kmdom/kmdom.h>
#include "tap.h"

static void test_names(void)
{
	char field[KMDOM_NAME_MAX], longest[KMDOM_NAME_MAX + 1];
	size_t i;

	memset(field, 0xee, sizeof(field));
	CHECK(kmdom_set_name(field, "1000/red") == 0);
	CHECK(!strcmp(field, "1000/red"));
	for (i = strlen(field); i < sizeof(field); i++)
		CHECK(!field[i]);
	CHECK(kmdom_set_name(field, "") == -EINVAL);
	memset(longest, 'x', sizeof(longest));
	longest[KMDOM_NAME_MAX] = '\0';
	CHECK(kmdom_set_name(field, longest) == -EINVAL);
	longest[KMDOM_NAME_MAX - 1] = '\0';
	CHECK(kmdom_set_name(field, longest) == 0);
}

static void test_batch(void)
{
	struct kmdom_batch *batch;
	const struct kmdom_op *op;
	struct kmdom_page pages[4];

	CHECK(kmdom_batch_new(KMDOM_OPS_MAX + 1, 0, &batch) == -EINVAL);
	CHECK(kmdom_batch_new(0, KMDOM_EVENTS_MAX + 1, &batch) == -EINVAL);
	NEED(!kmdom_batch_new(3, 1, &batch));
	CHECK(kmdom_batch_ops(batch) == 0);
	CHECK(!kmdom_batch_op(batch, 0));
	CHECK(kmdom_batch_evict(batch, 2, 7, 9, KMDOM_OPF_DRAIN) == 0);
	CHECK(kmdom_batch_scan(batch, 5, pages, 4, KMDOM_OPF_PRESENT) == 1);
	CHECK(kmdom_batch_resend(batch) == 2);
	CHECK(kmdom_batch_resend(batch) == -ENOSPC);
	CHECK(kmdom_batch_ops(batch) == 3);
	op = kmdom_batch_op(batch, 0);
	CHECK(op->code == KMDOM_OP_EVICT && op->index == 7 && op->version == 9 &&
	      op->flags == KMDOM_OPF_DRAIN && !op->buf && !op->len && !op->arg);
	op = kmdom_batch_op(batch, 1);
	CHECK(op->code == KMDOM_OP_SCAN && op->index == 5 && op->arg == 4 &&
	      op->len == sizeof(pages) && op->buf == (uintptr_t)pages);
	CHECK(!kmdom_batch_result(batch, 0));
	CHECK(!kmdom_batch_event(batch, 0));
	kmdom_batch_reset(batch);
	CHECK(kmdom_batch_ops(batch) == 0);
	kmdom_batch_free(batch);
}

/* A descriptor that is no session: errors are returned, results are none. */
static void test_no_session(void)
{
	struct kmdom_session *session;
	struct kmdom_batch *batch;
	int pipes[2];

	NEED(!pipe(pipes));
	NEED(!kmdom_batch_new(1, 1, &batch));
	kmdom_batch_resend(batch);
	CHECK(kmdom_batch_submit(batch, pipes[0], KMDOM_DONT_WAIT) == -ENOTTY);
	CHECK(kmdom_batch_results(batch) == 0);
	CHECK(kmdom_batch_submit(batch, -1, KMDOM_DONT_WAIT) == -EBADF);
	kmdom_batch_free(batch);
	CHECK(kmdom_session_attach(-1, 1, &session) == -EINVAL);
	CHECK(kmdom_session_attach(pipes[0], 0, &session) == -EINVAL);
	NEED(!kmdom_session_attach(pipes[0], 16, &session));
	CHECK(kmdom_session_fd(session) == pipes[0]);
	CHECK(kmdom_session_grant(session, 0, 16) == -ENOTTY);
	kmdom_session_end(session);
	CHECK(close(pipes[0]) == -1 && errno == EBADF);
	kmdom_session_end(NULL);
	close(pipes[1]);
}

static void test_uring(void)
{
	struct io_uring_sqe sqe = { .user_data = 77 };
	struct kmdom_uring_cmd cmd;
	struct kmdom_batch *batch;

	CHECK(kmdom_uring_probe(0) == -EOPNOTSUPP);
	NEED(!kmdom_batch_new(1, 1, &batch));
	kmdom_uring_prep(&sqe, batch, 5, 1);
	CHECK(sqe.opcode == IORING_OP_URING_CMD && sqe.fd == 5 &&
	      sqe.user_data == 77 && sqe.cmd_op == KMDOM_URING_EXCHANGE);
	memcpy(&cmd, (char *)&sqe + 48, sizeof(cmd));
	CHECK(cmd.len == sizeof(struct kmdom_exchange) && cmd.addr && !cmd.reserved);
	CHECK(kmdom_uring_complete(batch, 0) == 0);
	CHECK(kmdom_uring_complete(batch, -ENODEV) == -ENODEV);
	kmdom_batch_free(batch);
}

static void test_records(void)
{
	struct kmdom_record rec = {
		.magic = htole32(KMDOM_MAGIC_RECORD),
		.format = htole16(KMDOM_RECORD_FORMAT),
		.policy = KMDOM_POLICY_SEALED,
		.index = htole64(123456789),
		.version = htole64(1ULL << 40),
		.length = htole32(4208),
		.domain = "fifteen bytes..",
	}, bad;
	struct kmdom_record_info info;

	CHECK(!kmdom_record_parse(&rec, sizeof(rec), &info));
	CHECK(info.index == 123456789 && info.version == 1ULL << 40 &&
	      info.length == 4208 && info.policy == KMDOM_POLICY_SEALED &&
	      !memcmp(info.domain, rec.domain, 16));
	CHECK(kmdom_record_parse(&rec, sizeof(rec) - 1, &info) == -EINVAL);
	bad = rec;
	bad.magic ^= 1;
	CHECK(kmdom_record_parse(&bad, sizeof(bad), &info) == -EINVAL);
	bad = rec;
	bad.format ^= htole16(2);
	CHECK(kmdom_record_parse(&bad, sizeof(bad), &info) == -EINVAL);
	bad = rec;
	bad.length = htole32(KMDOM_RECORD_MAX + 1);
	CHECK(kmdom_record_parse(&bad, sizeof(bad), &info) == -EINVAL);
	bad = rec;
	bad.length = htole32(sizeof(rec) - 1);
	CHECK(kmdom_record_parse(&bad, sizeof(bad), &info) == -EINVAL);
	bad = rec;
	bad.level = KMDOM_LEVELS + 1;
	CHECK(kmdom_record_parse(&bad, sizeof(bad), &info) == -EINVAL);
	bad = rec;
	bad.index = htole64(1ULL << KMDOM_INDEX_BITS);
	CHECK(kmdom_record_parse(&bad, sizeof(bad), &info) == -EINVAL);
	bad = rec;
	bad.policy = KMDOM_POLICY_CHECKED;
	CHECK(kmdom_record_parse(&bad, sizeof(bad), &info) == -EINVAL);
	bad.length = 0;
	CHECK(!kmdom_record_parse(&bad, sizeof(bad), &info) && !info.length);
}

static void test_explanations(void)
{
	CHECK(strstr(kmdom_explain(KMDOM_CALL_OPEN, -ENOENT), "modprobe"));
	CHECK(kmdom_explain(KMDOM_CALL_OPEN, ENOENT) ==
	      kmdom_explain(KMDOM_CALL_OPEN, -ENOENT));
	CHECK(!strcmp(kmdom_explain(KMDOM_CALL_ADOPT, EMLINK), strerror(EMLINK)));
}

const struct tap_test tap_tests[] = {
	{ "libkmdom: names", test_names },
	{ "libkmdom: batches", test_batch },
	{ "libkmdom: no session", test_no_session },
	{ "libkmdom: io_uring", test_uring },
	{ "libkmdom: records", test_records },
	{ "libkmdom: explanations", test_explanations },
	{ }
};
