// SPDX-License-Identifier: GPL-2.0
/*
 * The UAPI's negatives: one field wrong at a time, and the exact errno for it.
 * What is refused changes nothing: each test ends with a call that serves.
 */
#include <fcntl.h>
#include <grp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include "harness.h"

#define FRAMES	160

#define IOC(nr, type)	_IOWR(KMDOM_IOC_MAGIC, nr, type)
#define HIGH	0x8000000000000000ULL

/**
 * struct wrong - one field of a structure that is given a wrong value
 * @what: for the log
 * @offset: of the field
 * @size: of the field
 * @value: the wrong one
 * @err: the errno for it
 */
struct wrong {
	const char *what;
	size_t offset;
	size_t size;
	uint64_t value;
	int err;
};

#define WRONG(type, member, val, e) {					\
	.what = #member " = " #val, .offset = offsetof(type, member),	\
	.size = sizeof(((type *)0)->member), .value = (val), .err = (e) }

static void spoil(void *arg, const struct wrong *wrong)
{
	if (wrong->size <= sizeof(wrong->value))
		memcpy((char *)arg + wrong->offset, &wrong->value, wrong->size);
	else	/* a string: filled, so that it does not end */
		memset((char *)arg + wrong->offset, (int)wrong->value, wrong->size);
}

static int call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

static int open_device(void)
{
	return open("/dev/kmdom", O_RDWR | O_CLOEXEC);
}

TEST(handshake_comes_first)
{
	struct kmdom_create create = { .name = "kt/early", .max_frames = FRAMES };
	struct kmdom_adopt adopt = { .name = "kt/early", .pool_frames = 1, .slots = 1 };
	struct kmdom_name name = { .name = "kt/early" };
	int fd = open_device();

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EPROTO, call(fd, KMDOM_IOC_CREATE, &create));
	EXPECT_EQ(-EPROTO, call(fd, KMDOM_IOC_ADOPT, &adopt));
	EXPECT_EQ(-EPROTO, call(fd, KMDOM_IOC_ABORT, &name));
	EXPECT_EQ(-EPROTO, call(fd, KMDOM_IOC_DESTROY, &name));
	close(fd);
}

TEST(handshake_is_checked)
{
	static const struct wrong wrongs[] = {
		WRONG(struct kmdom_hello, abi, 0, EPROTO),
		WRONG(struct kmdom_hello, abi, KMDOM_ABI_VERSION + 1, EPROTO),
		WRONG(struct kmdom_hello, abi, ~0U, EPROTO),
		WRONG(struct kmdom_hello, reserved, 1, EINVAL),
		WRONG(struct kmdom_hello, reserved, 1U << 31, EINVAL),
		WRONG(struct kmdom_hello, features, HIGH, EOPNOTSUPP),
		WRONG(struct kmdom_hello, features, KMDOM_FEATURES + 1, EOPNOTSUPP),
	};
	struct kmdom_hello hello;
	struct kmdom_name name = { .name = "kt/none" };
	int fd = open_device();
	size_t i;

	ASSERT_LE(0, fd);
	for (i = 0; i < ARRAY_SIZE(wrongs); i++) {
		hello = (struct kmdom_hello) { .abi = KMDOM_ABI_VERSION };
		spoil(&hello, &wrongs[i]);
		EXPECT_EQ(-wrongs[i].err, call(fd, KMDOM_IOC_HELLO, &hello))
			TH_LOG("%s", wrongs[i].what);
		if (wrongs[i].err == EINVAL)
			continue;
		EXPECT_EQ(KMDOM_ABI_VERSION, hello.abi);
		EXPECT_EQ(KMDOM_FEATURES, hello.features);
	}
	EXPECT_EQ(-EFAULT, call(fd, KMDOM_IOC_HELLO, NULL));
	EXPECT_EQ(-EPROTO, call(fd, KMDOM_IOC_ABORT, &name));
	hello = (struct kmdom_hello) {
		.abi = KMDOM_ABI_VERSION, .features = KMDOM_FEATURE_URING,
	};
	EXPECT_EQ(0, call(fd, KMDOM_IOC_HELLO, &hello));
	EXPECT_EQ(KMDOM_FEATURES, hello.features);
	EXPECT_EQ(-ENOENT, call(fd, KMDOM_IOC_ABORT, &name));
	close(fd);
}

FIXTURE(device) {
	struct pager pager;
	char name[KMDOM_NAME_MAX];
};

FIXTURE_SETUP(device)
{
	ASSERT_EQ(0, pager_open(&self->pager, NULL));
	bed_name(self->name, sizeof(self->name));
}

FIXTURE_TEARDOWN(device)
{
	pager_close(&self->pager);
}

TEST_F(device, unknown_calls)
{
	struct kmdom_exchange ex = { 0 };
	char buf[256] = { 0 };

	EXPECT_EQ(-ENOTTY, call(self->pager.ctl, IOC(5, struct kmdom_hello), buf));
	EXPECT_EQ(-ENOTTY, call(self->pager.ctl, IOC(0, struct kmdom_create), buf));
	EXPECT_EQ(-ENOTTY, call(self->pager.ctl, _IOWR(0xD8, 0, struct kmdom_hello), buf));
	EXPECT_EQ(-ENOTTY, call(self->pager.ctl, KMDOM_IOC_EXCHANGE, &ex));
}

TEST_F(device, create_is_checked)
{
	static const struct wrong wrongs[] = {
		WRONG(struct kmdom_create, name, 'x', EINVAL),
		WRONG(struct kmdom_create, name, 0, EINVAL),
		WRONG(struct kmdom_create, aead, 'x', EINVAL),
		WRONG(struct kmdom_create, max_frames, 0, EINVAL),
		WRONG(struct kmdom_create, max_frames, KMDOM_FRAMES_MIN - 1, EINVAL),
		WRONG(struct kmdom_create, max_frames, KMDOM_FRAMES_MAX + 1, EINVAL),
		WRONG(struct kmdom_create, max_frames, ~0U, EINVAL),
		WRONG(struct kmdom_create, flags, 1, EINVAL),
		WRONG(struct kmdom_create, flags, 1U << 31, EINVAL),
		WRONG(struct kmdom_create, reserved, 1, EINVAL),
		WRONG(struct kmdom_create, reserved, 1U << 31, EINVAL),
	};
	static const char *const ciphers[] = { "nosuch(aes)", "sha256", "cbc(aes)", "gcm(" };
	static const char *const names[] = {
		"/", "/kt", "kt/", " kt", "kt ", "k t", "kt\t", "kt\n", "k,t", "kt\x7f", "kt\xe4",
	};
	struct kmdom_create create, good = { .max_frames = FRAMES };
	uint64_t first;
	size_t i;

	memcpy(good.name, self->name, sizeof(good.name));
	for (i = 0; i < ARRAY_SIZE(wrongs); i++) {
		create = good;
		spoil(&create, &wrongs[i]);
		EXPECT_EQ(-wrongs[i].err, call(self->pager.ctl, KMDOM_IOC_CREATE, &create))
			TH_LOG("%s", wrongs[i].what);
	}
	for (i = 0; i < ARRAY_SIZE(ciphers); i++) {
		create = good;
		strcpy(create.aead, ciphers[i]);
		EXPECT_EQ(-EOPNOTSUPP, call(self->pager.ctl, KMDOM_IOC_CREATE, &create))
			TH_LOG("%s", ciphers[i]);
	}
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		create = good;
		memset(create.name, 0, sizeof(create.name));
		strcpy(create.name, names[i]);
		EXPECT_EQ(-EINVAL, call(self->pager.ctl, KMDOM_IOC_CREATE, &create))
			TH_LOG("'%s'", names[i]);
	}
	EXPECT_EQ(-EFAULT, call(self->pager.ctl, KMDOM_IOC_CREATE, NULL));
	EXPECT_EQ(-ENOENT, pager_destroy(&self->pager, self->name));

	create = good;
	ASSERT_EQ(0, call(self->pager.ctl, KMDOM_IOC_CREATE, &create));
	first = create.id;
	EXPECT_EQ(-EEXIST, call(self->pager.ctl, KMDOM_IOC_CREATE, &create));
	EXPECT_EQ(0, pager_destroy(&self->pager, self->name));
	create = good;
	ASSERT_EQ(0, call(self->pager.ctl, KMDOM_IOC_CREATE, &create));
	EXPECT_LT(first, create.id);
	EXPECT_EQ(0, pager_destroy(&self->pager, self->name));
	EXPECT_EQ(-ENOENT, pager_destroy(&self->pager, self->name));
}

TEST_F(device, ciphers)
{
	static const char *const ciphers[] = {
		"", "gcm(aes)", "aegis128", "rfc7539(chacha20,poly1305)",
	};
	struct kmdom_create create;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ciphers); i++) {
		create = (struct kmdom_create) { .max_frames = FRAMES };
		memcpy(create.name, self->name, sizeof(create.name));
		strcpy(create.aead, ciphers[i]);
		EXPECT_EQ(0, call(self->pager.ctl, KMDOM_IOC_CREATE, &create))
			TH_LOG("'%s'", ciphers[i]);
		EXPECT_EQ(0, pager_destroy(&self->pager, self->name));
	}
}

TEST_F(device, adopt_is_checked)
{
	static const struct wrong wrongs[] = {
		WRONG(struct kmdom_adopt, name, 'x', EINVAL),
		WRONG(struct kmdom_adopt, name, 0, EINVAL),
		WRONG(struct kmdom_adopt, pool_frames, 0, EINVAL),
		WRONG(struct kmdom_adopt, pool_frames, FRAMES + 1, EDQUOT),
		WRONG(struct kmdom_adopt, pool_frames, ~0U, EDQUOT),
		WRONG(struct kmdom_adopt, slots, 0, EINVAL),
		WRONG(struct kmdom_adopt, slots, KMDOM_SLOTS_MAX + 1, EINVAL),
		WRONG(struct kmdom_adopt, slots, ~0U, EINVAL),
		WRONG(struct kmdom_adopt, deadline_ms, 60001, EINVAL),
		WRONG(struct kmdom_adopt, deadline_ms, ~0U, EINVAL),
		WRONG(struct kmdom_adopt, flags, KMDOM_ADOPT_TAKEOVER << 1, EINVAL),
		WRONG(struct kmdom_adopt, flags, 1U << 31, EINVAL),
		WRONG(struct kmdom_adopt, reserved, 1, EINVAL),
	};
	struct kmdom_adopt adopt, good = { .pool_frames = FRAMES, .slots = 4 };
	struct pager second;
	size_t i;

	ASSERT_EQ(0, pager_create(&self->pager, self->name, FRAMES, 60));
	memcpy(good.name, self->name, sizeof(good.name));
	for (i = 0; i < ARRAY_SIZE(wrongs); i++) {
		adopt = good;
		spoil(&adopt, &wrongs[i]);
		EXPECT_EQ(-wrongs[i].err, call(self->pager.ctl, KMDOM_IOC_ADOPT, &adopt))
			TH_LOG("%s", wrongs[i].what);
	}
	EXPECT_EQ(-EFAULT, call(self->pager.ctl, KMDOM_IOC_ADOPT, NULL));
	adopt = good;
	strcpy(adopt.name, "kt/no-such-domain");
	EXPECT_EQ(-ENOENT, call(self->pager.ctl, KMDOM_IOC_ADOPT, &adopt));

	adopt = good;
	ASSERT_EQ(0, pager_adopt_with(&self->pager, DOOR_IOCTL, &adopt));
	EXPECT_EQ(1, adopt.session);
	EXPECT_EQ(FRAMES, adopt.max_frames);
	EXPECT_EQ(0, adopt.page_count);
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->pager.fd, F_GETFD));
	ASSERT_EQ(0, pager_open(&second, NULL));
	EXPECT_EQ(-EBUSY, pager_adopt(&second, self->name, DOOR_IOCTL, FRAMES, 0));
	EXPECT_EQ(0, pager_exchange(&self->pager, NULL, NULL, 0));
	pager_close(&second);
	pager_leave(&self->pager);
	EXPECT_EQ(0, pager_adopt(&self->pager, self->name, DOOR_IOCTL, FRAMES, 0));
	EXPECT_EQ(2, self->pager.session);
	EXPECT_EQ(0, pager_destroy(&self->pager, self->name));
}

TEST_F(device, names_are_checked)
{
	static const struct wrong wrongs[] = {
		WRONG(struct kmdom_name, name, 'x', EINVAL),
		WRONG(struct kmdom_name, name, 0, EINVAL),
		WRONG(struct kmdom_name, flags, 1, EINVAL),
		WRONG(struct kmdom_name, flags, 1U << 31, EINVAL),
		WRONG(struct kmdom_name, reserved, 1, EINVAL),
	};
	struct kmdom_name name;
	size_t i;

	ASSERT_EQ(0, pager_create(&self->pager, self->name, FRAMES, 60));
	for (i = 0; i < 2 * ARRAY_SIZE(wrongs); i++) {
		const struct wrong *wrong = &wrongs[i / 2];
		unsigned long cmd = i & 1 ? KMDOM_IOC_ABORT : KMDOM_IOC_DESTROY;

		memset(&name, 0, sizeof(name));
		memcpy(name.name, self->name, sizeof(name.name));
		spoil(&name, wrong);
		EXPECT_EQ(-wrong->err, call(self->pager.ctl, cmd, &name))
			TH_LOG("%s", wrong->what);
	}
	EXPECT_EQ(-EFAULT, call(self->pager.ctl, KMDOM_IOC_ABORT, NULL));
	EXPECT_EQ(-EFAULT, call(self->pager.ctl, KMDOM_IOC_DESTROY, NULL));
	EXPECT_EQ(0, pager_destroy(&self->pager, self->name));
	EXPECT_EQ(-ENOENT, pager_abort(&self->pager, self->name));
}

TEST(deadline_is_bounded)
{
	long old = param_get("op_deadline_ms");

	ASSERT_LT(0, old);
	EXPECT_EQ(-EINVAL, param_set("op_deadline_ms", 60001));
	EXPECT_EQ(-EINVAL, param_set("op_deadline_ms", 1L << 31));
	EXPECT_EQ(-EINVAL, param_set("op_deadline_ms", 0));
	EXPECT_EQ(-EINVAL, param_set("op_deadline_ms", -1));
	EXPECT_EQ(old, param_get("op_deadline_ms"));
	EXPECT_EQ(0, param_set("op_deadline_ms", 60000));
	EXPECT_EQ(60000, param_get("op_deadline_ms"));
	EXPECT_EQ(0, param_set("op_deadline_ms", old));
}

/* Another process's descriptor, by the two ways that there are: 0 or -errno. */
static int take_descriptor(pid_t pid, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0), ret;

	if (pidfd < 0)
		return -errno;
	ret = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (ret >= 0)
		close(ret);
	else
		ret = -errno;
	close(pidfd);
	return ret < 0 ? ret : 0;
}

static int open_descriptor(pid_t pid, int fd)
{
	char path[64];
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	ret = open(path, O_RDWR);
	if (ret < 0)
		return -errno;
	close(ret);
	return 0;
}

/* To page is to have the session's descriptor: what is one's own is not it. */
static int cannot_page(struct pager *pager, pid_t pid, int session)
{
	struct kmdom_exchange ex = { 0 };
	int bad = 0;

	bad += take_descriptor(pid, session) != -EPERM;
	bad += open_descriptor(pid, session) != -EACCES;
	bad += call(pager->ctl, KMDOM_IOC_EXCHANGE, &ex) != -ENOTTY;
	bad += mmap(NULL, KMDOM_FRAME_SIZE, PROT_READ, MAP_SHARED, pager->ctl, 0) != MAP_FAILED;
	return bad;
}

/* Runs as another user; returns how many checks failed. */
static int as_user(const char *others, const char *own, int session)
{
	struct pager pager;
	char full[KMDOM_NAME_MAX];
	int bad = 0;

	close(session);
	if (setgroups(0, NULL) || setresgid(1234, 1234, 1234) || setresuid(1234, 1234, 1234))
		return 100;
	if (pager_open(&pager, NULL))
		return 101;
	snprintf(full, sizeof(full), "1234/%s", own);
	bad += pager_create(&pager, others, FRAMES, 60) != -EPERM;
	bad += pager_create(&pager, full, FRAMES, 60) != -EPERM;
	bad += pager_adopt(&pager, others, DOOR_IOCTL, FRAMES, 0) != -EPERM;
	bad += pager_adopt(&pager, others, DOOR_IOCTL, FRAMES, KMDOM_ADOPT_TAKEOVER) != -EPERM;
	bad += pager_abort(&pager, others) != -EPERM;
	bad += pager_destroy(&pager, others) != -EPERM;
	bad += pager_create(&pager, own, FRAMES, 60) != 0;
	bad += pager_create(&pager, own, FRAMES, 60) != -EEXIST;
	bad += pager_destroy(&pager, full) != 0;
	bad += pager_destroy(&pager, own) != -ENOENT;
	bad += cannot_page(&pager, getppid(), session);
	pager_close(&pager);
	return bad;
}

TEST_F(device, rights)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, pager_create(&self->pager, self->name, FRAMES, 60));
	ASSERT_EQ(0, pager_adopt(&self->pager, self->name, DOOR_IOCTL, FRAMES, 0));
	/* With the right, it is to be had; but it cannot be opened anew. */
	EXPECT_EQ(0, take_descriptor(getpid(), self->pager.fd));
	EXPECT_EQ(-ENXIO, open_descriptor(getpid(), self->pager.fd));
	pid = fork();
	if (!pid)
		_exit(as_user(self->name, "mine", self->pager.fd));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_EQ(FRAMES, pager_grant(&self->pager, 0, FRAMES));
	EXPECT_EQ(0, pager_destroy(&self->pager, self->name));
}

FIXTURE(session) {
	struct bed bed;
	struct pager *pager;
};

BOTH_DOORS(session);

FIXTURE_SETUP(session)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .types = 1 << KT_SMALL,
	};

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.pager;
}

FIXTURE_TEARDOWN(session)
{
	EXPECT_EQ(0, bed_down(&self->bed));
}

TEST_F(session, unknown_calls)
{
	struct kmdom_hello hello = { .abi = KMDOM_ABI_VERSION };
	char buf[256] = { 0 };

	EXPECT_EQ(-ENOTTY, call(self->pager->fd, KMDOM_IOC_HELLO, &hello));
	EXPECT_EQ(-ENOTTY, call(self->pager->fd, IOC(17, struct kmdom_exchange), buf));
	EXPECT_EQ(-ENOTTY, call(self->pager->fd, IOC(16, struct kmdom_hello), buf));
}

TEST_F(session, exchange_is_checked)
{
	static const struct wrong wrongs[] = {
		WRONG(struct kmdom_exchange, nr_ops, KMDOM_OPS_MAX + 1, EINVAL),
		WRONG(struct kmdom_exchange, nr_ops, ~0U, EINVAL),
		WRONG(struct kmdom_exchange, max_events, KMDOM_EVENTS_MAX + 1, EINVAL),
		WRONG(struct kmdom_exchange, max_events, ~0U, EINVAL),
		WRONG(struct kmdom_exchange, min_events, 2, EINVAL),
		WRONG(struct kmdom_exchange, flags, KMDOM_EXCHANGE_WAKE << 1, EINVAL),
		WRONG(struct kmdom_exchange, flags, 1U << 31, EINVAL),
		WRONG(struct kmdom_exchange, ops, 16, EFAULT),
		WRONG(struct kmdom_exchange, ops, HIGH, EFAULT),
	};
	struct kmdom_op op = { .code = KMDOM_OP_REVOKE, .index = 3, .arg = 1 };
	struct kmdom_result result;
	struct kmdom_event events[4];
	struct kmdom_exchange ex, good = {
		.ops = (unsigned long)&op, .results = (unsigned long)&result,
		.events = (unsigned long)events, .nr_ops = 1, .max_events = 4,
		.timeout_ns = -1,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrongs); i++) {
		ex = good;
		spoil(&ex, &wrongs[i]);
		EXPECT_EQ(-wrongs[i].err, door_exchange(&self->pager->door, &ex))
			TH_LOG("%s", wrongs[i].what);
	}
	ex = good;
	ex.min_events = 1;
	ex.max_events = 0;
	EXPECT_EQ(-EINVAL, door_exchange(&self->pager->door, &ex));
	ex = good;
	EXPECT_EQ(0, pager_pass(self->pager, &ex));
	EXPECT_EQ(1, ex.nr_results);
	EXPECT_EQ(0, ex.nr_events);
	EXPECT_EQ(0, result.ret);
	EXPECT_EQ(1, result.value);
	EXPECT_EQ(FRAMES, ex.free_frames + ex.used_frames + 1);
}

TEST_F(session, results_stop_at_a_bad_address)
{
	struct kmdom_op ops[3];
	struct kmdom_result *results;
	struct kmdom_exchange ex;
	char *mem;
	int i;

	for (i = 0; i < 3; i++)
		ops[i] = (struct kmdom_op) { .code = KMDOM_OP_REVOKE, .index = i, .arg = 1 };
	mem = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, munmap(mem + 4096, 4096));
	results = (struct kmdom_result *)(mem + 4096 - sizeof(*results) - 8);
	ex = (struct kmdom_exchange) {
		.ops = (unsigned long)ops, .results = (unsigned long)results,
		.nr_ops = 3, .timeout_ns = -1,
	};
	EXPECT_EQ(-EFAULT, pager_pass(self->pager, &ex));
	EXPECT_EQ(1, ex.nr_results);
	EXPECT_EQ(0, results->ret);
	/* The second was carried out, and nobody was told. */
	atomic_fetch_sub(self->pager->lent, 1);
	EXPECT_EQ(1, results->value);
	/* The third was not begun: repeating all is harmless, and ends it. */
	EXPECT_EQ(-EBUSY, pager_revoke(self->pager, 0, 1));
	EXPECT_EQ(1, pager_revoke(self->pager, 2, 1));
	munmap(mem, 4096);
}

/* One exchange, of whose structure this end touches nothing. */
static int exchange_at(struct pager *pager, struct kmdom_exchange *ex)
{
	__u64 data;
	int ret, res;

	if (pager->door.kind == DOOR_IOCTL)
		return call(pager->fd, KMDOM_IOC_EXCHANGE, ex);
	ret = uring_submit(&pager->door.ring, pager->fd, ex, 1);
	if (!ret)
		ret = uring_take(&pager->door.ring, DOOR_PATIENCE * 1000, &data, &res);
	return ret ? ret : res;
}

TEST_F(session, exchange_at_a_bad_address)
{
	struct kmdom_op op = { .code = KMDOM_OP_REVOKE, .arg = 1 };
	struct kmdom_result result = { .ret = 1 };
	struct kmdom_exchange *ex;

	ex = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, ex);
	ASSERT_EQ(0, munmap((char *)ex + 4096, 4096));
	*ex = (struct kmdom_exchange) {
		.ops = (unsigned long)&op, .results = (unsigned long)&result,
		.nr_ops = 1, .timeout_ns = -1, .nr_results = 77,
	};
	EXPECT_EQ(-EFAULT, exchange_at(self->pager, (void *)16));
	EXPECT_EQ(-EFAULT, exchange_at(self->pager, (void *)HIGH));
	EXPECT_EQ(-EFAULT, exchange_at(self->pager, (void *)((char *)ex + 4096 - 8)));
	EXPECT_EQ(1, result.ret);
	/* The counts cannot be written: it is done, and the result tells of it. */
	ASSERT_EQ(0, mprotect(ex, 4096, PROT_READ));
	EXPECT_EQ(-EFAULT, exchange_at(self->pager, ex));
	EXPECT_EQ(77, ex->nr_results);
	EXPECT_EQ(0, result.ret);
	EXPECT_EQ(1, result.value);
	atomic_fetch_sub(self->pager->lent, 1);
	munmap(ex, 4096);
	EXPECT_EQ(-EBUSY, pager_revoke(self->pager, 0, 1));
	EXPECT_EQ(1, pager_grant(self->pager, 0, 1));
}

TEST_F(session, a_wait_can_end_by_itself)
{
	struct kmdom_event event;
	long long start = now_ms();

	EXPECT_EQ(0, pager_events(self->pager, &event, 1, 100));
	EXPECT_LE(95, now_ms() - start);
}

struct op_case {
	struct kmdom_op base;
	const char *unused;	/* letters: Level, indeX, Version, Buf, len (N), Arg */
	uint16_t flags;		/* that it takes */
};

static uint64_t op_buf[KMDOM_RECORD_MAX / 8];
#define BUF	((unsigned long)op_buf)

/* Each would be carried out, or refused for a state, if no field were wrong. */
static const struct op_case op_cases[] = {
	{ { .code = KMDOM_OP_GRANT, .index = 0, .arg = 1 }, "VBN", 0 },
	{ { .code = KMDOM_OP_REVOKE, .index = 0, .arg = 1 }, "VBN", 0 },
	{ { .code = KMDOM_OP_EXPORT, .index = 9999, .len = KMDOM_RECORD_MAX }, "VA",
	  KMDOM_OPF_DRAIN },
	{ { .code = KMDOM_OP_STORED, .index = 9999, .version = 1 }, "BNA", 0 },
	{ { .code = KMDOM_OP_EVICT, .index = 9999, .version = 1 }, "BNA", KMDOM_OPF_DRAIN },
	{ { .code = KMDOM_OP_RESTORE, .index = 9999, .version = 1, .len = 200 }, "A", 0 },
	{ { .code = KMDOM_OP_REFUSE, .index = 9999, .version = 1 }, "BNA", KMDOM_OPF_LOST },
	{ { .code = KMDOM_OP_SCAN, .len = 32, .arg = 1 }, "V",
	  KMDOM_OPF_PRESENT | KMDOM_OPF_CLEAR },
	{ { .code = KMDOM_OP_RESEND }, "XVBNA", 0 },
};

static bool takes_buf(const struct kmdom_op *op)
{
	return op->code == KMDOM_OP_EXPORT || op->code == KMDOM_OP_RESTORE ||
	       op->code == KMDOM_OP_SCAN;
}

static struct kmdom_op good_op(const struct op_case *c)
{
	struct kmdom_op op = c->base;

	if (takes_buf(&op))
		op.buf = BUF;
	return op;
}

static void spoil_op(struct kmdom_op *op, char field)
{
	switch (field) {
	case 'X':
		op->index = 1;
		break;
	case 'V':
		op->version = 1;
		break;
	case 'B':
		op->buf = BUF;
		break;
	case 'N':
		op->len = 1;
		break;
	case 'A':
		op->arg = 1;
		break;
	}
}

TEST_F(session, unused_fields_are_zero)
{
	const char *field;
	struct kmdom_op op;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(op_cases); i++) {
		for (field = op_cases[i].unused; *field; field++) {
			op = good_op(&op_cases[i]);
			spoil_op(&op, *field);
			EXPECT_EQ(-EINVAL, pager_op(self->pager, &op))
				TH_LOG("operation %u, field %c", op.code, *field);
		}
		op = good_op(&op_cases[i]);
		EXPECT_NE(-EINVAL, pager_op(self->pager, &op))
			TH_LOG("operation %u", op.code);
	}
}

TEST_F(session, unknown_flags)
{
	struct kmdom_op op;
	size_t i;
	int bit;

	for (i = 0; i < ARRAY_SIZE(op_cases); i++)
		for (bit = 0; bit < 16; bit++) {
			if (op_cases[i].flags & 1 << bit)
				continue;
			op = good_op(&op_cases[i]);
			op.flags = 1 << bit;
			EXPECT_EQ(-EINVAL, pager_op(self->pager, &op))
				TH_LOG("operation %u, bit %d", op.code, bit);
		}
}

TEST_F(session, levels)
{
	static const uint32_t levels[] = { KMDOM_LEVELS + 1, 256, 1U << 31 };
	struct kmdom_op op;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(op_cases); i++)
		for (j = 0; j < ARRAY_SIZE(levels); j++) {
			op = good_op(&op_cases[i]);
			op.level = levels[j];
			EXPECT_EQ(-EINVAL, pager_op(self->pager, &op))
				TH_LOG("operation %u, level %u", op.code, op.level);
		}
}

TEST_F(session, unknown_operations)
{
	static const uint16_t codes[] = {
		0, KMDOM_OP_RESEND + 1, 255, 256 + KMDOM_OP_RESEND, 0xffff,
	};
	struct kmdom_op op;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		op = (struct kmdom_op) { .code = codes[i] };
		EXPECT_EQ(-EINVAL, pager_op(self->pager, &op))
			TH_LOG("code %u", codes[i]);
	}
}

TEST_F(session, pages_that_are_not)
{
	static const uint64_t indexes[] = {
		0, 1, 511, 512, 1ULL << 27, (1ULL << KMDOM_INDEX_BITS) - 1,
		1ULL << KMDOM_INDEX_BITS, HIGH, ~0ULL,
	};
	struct kmdom_op op;
	size_t i, j;

	for (i = 2; i < 7; i++)
		for (j = 0; j < ARRAY_SIZE(indexes); j++) {
			op = good_op(&op_cases[i]);
			op.index = indexes[j];
			EXPECT_EQ(-ENOENT, pager_op(self->pager, &op))
				TH_LOG("operation %u, index %llx", op.code, op.index);
		}
}

TEST_F(session, lengths)
{
	struct kmdom_op op = {
		.code = KMDOM_OP_RESTORE, .index = 1, .version = 1, .buf = BUF,
	};
	struct kmdom_page page;
	uint64_t cursor = 0;

	op.len = 0;
	EXPECT_EQ(-EINVAL, pager_op(self->pager, &op));
	op.len = KMDOM_RECORD_MAX + 1;
	EXPECT_EQ(-EINVAL, pager_op(self->pager, &op));
	op.len = ~0U;
	EXPECT_EQ(-EINVAL, pager_op(self->pager, &op));
	EXPECT_EQ(-EINVAL, pager_scan(self->pager, &cursor, &page, 0, 0));
	EXPECT_EQ(-EINVAL, pager_scan(self->pager, &cursor, &page, KMDOM_SCAN_MAX + 1, 0));
	op = (struct kmdom_op) {
		.code = KMDOM_OP_SCAN, .buf = BUF, .len = 2 * sizeof(page) - 1, .arg = 2,
	};
	EXPECT_EQ(-EINVAL, pager_op(self->pager, &op));
	op.len = 0;
	EXPECT_EQ(-EINVAL, pager_op(self->pager, &op));
	op.len = 2 * sizeof(page);
	EXPECT_EQ(0, pager_op(self->pager, &op));
}

TEST_F(session, buffers_that_are_not)
{
	struct kt_small small;
	struct kmdom_op op;
	uint64_t ref;

	small_fill(&small, 1);
	ASSERT_EQ(0, kt_new(self->bed.client, 0, KT_SMALL, &small, sizeof(small), &ref));
	op = (struct kmdom_op) {
		.code = KMDOM_OP_EXPORT, .index = KT_REF_INDEX(ref), .buf = 16,
		.len = KMDOM_RECORD_MAX,
	};
	EXPECT_EQ(-EFAULT, pager_op(self->pager, &op));
	op.buf = HIGH;
	EXPECT_EQ(-EFAULT, pager_op(self->pager, &op));
	op.buf = BUF;
	op.len = 100;
	EXPECT_EQ(-EMSGSIZE, pager_op(self->pager, &op));
	op = (struct kmdom_op) {
		.code = KMDOM_OP_SCAN, .buf = 16, .len = 32, .arg = 1,
	};
	EXPECT_EQ(-EFAULT, pager_op(self->pager, &op));

	/* None of them made the page clean. */
	ASSERT_EQ(0, pager_preempt(self->pager, KT_REF_INDEX(ref)));
	op = (struct kmdom_op) {
		.code = KMDOM_OP_RESTORE, .index = KT_REF_INDEX(ref),
		.version = self->pager->res.version, .buf = 16, .len = 200,
	};
	EXPECT_EQ(-EFAULT, pager_op(self->pager, &op));
	EXPECT_EQ(0, pager_answer(self->pager, op.index, op.version));
	ASSERT_EQ(0, kt_get(self->bed.client, 0, KT_SMALL, ref, &small, sizeof(small)));
	EXPECT_EQ(0, small_check(&small, 1));
}

TEST_HARNESS_MAIN
