// SPDX-License-Identifier: GPL-2.0
/*
 * What is done once for a domain, a session or a client, while each allocation
 * and each copy of it fails in turn: it fails with an error of its own, nothing
 * stays of it, and the domain works on.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include "harness.h"
#include "inject.h"

#define FRAMES	192	/* of the bed's pool */
#define LENT	128	/* of these */
#define POOL	24	/* frames of a session that is made to fail */

/* Both kinds of memory, of which a slab may need the other or fall back on it. */
#define MEMORY	(FAIL_SLAB | FAIL_PAGE)

FIXTURE(inject) {
	struct bed bed;
	char name[KMDOM_NAME_MAX];	/* of another domain */
	const char *aead;
	uint64_t refs[8];		/* of pages, seeds 1 to 8 */
	uint32_t flags;			/* of an ADOPT */
	uint32_t grace;			/* seconds of a domain without a session */
	int client;			/* another */
};

#define SELF	FIXTURE_DATA(inject)

FIXTURE_SETUP(inject)
{
	struct bed_spec spec = {
		.frames = FRAMES, .keep_frames = true, .procs = 1,
		.types = 1 << KT_PAGE | 1 << KT_SMALL,
	};

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	ASSERT_EQ(LENT, pager_grant(&self->bed.pager, 0, LENT));
	bed_name(self->name, sizeof(self->name));
	self->aead = "";
	self->grace = 300;
	self->client = client_open();
	ASSERT_LE(0, self->client);
	/* What is made once, when it is first needed, has been made. */
	ASSERT_EQ(0, bed_serves(&self->bed));
	ASSERT_EQ(0, inject_begin("kmdom"));
}

FIXTURE_TEARDOWN(inject)
{
	inject_end();
	close(self->client);
	EXPECT_EQ(0, bed_down(&self->bed));
}

static int sound(SELF *self)
{
	return bed_serves(&self->bed) ?: bed_conserved(&self->bed);
}

static long open_hello(void *arg)
{
	struct kmdom_hello hello = { .abi = KMDOM_ABI_VERSION };
	int fd = open("/dev/kmdom", O_RDWR | O_CLOEXEC);
	long ret;

	if (fd < 0)
		return -errno;
	ret = ioctl(fd, KMDOM_IOC_HELLO, &hello) ? -errno : 0;
	if (ret && (!ioctl(fd, KMDOM_IOC_ADOPT, NULL) || errno != EPROTO))
		printf("# a handshake that failed counts\n");
	close(fd);
	return ret;
}

static int check_sound(void *arg, long ret)
{
	return sound(arg);
}

TEST_F(inject, hello)
{
	struct inject_sweep sweep = {
		.name = "open, HELLO", .run = open_hello, .check = check_sound,
		.arg = self, .errors = ERRORS(EFAULT), .must = FAIL_COPY,
	};

	EXPECT_EQ(0, inject_sweep(&sweep));
	EXPECT_EQ(2, sweep.failed[INJECT_COPY]);
}

/* How many copies an operation makes, each of which has failed once. */
static unsigned int sweep_copies(struct inject_sweep sweep)
{
	sweep.must = FAIL_COPY;
	sweep.may = 0;
	return inject_sweep_kind(&sweep, INJECT_COPY) ? 0 : sweep.failed[INJECT_COPY];
}

static long create(void *arg)
{
	SELF *self = arg;
	struct kmdom_create create = { .max_frames = 1024, .orphan_seconds = self->grace };

	strcpy(create.name, self->name);
	strcpy(create.aead, self->aead);
	return ioctl(self->bed.pager.ctl, KMDOM_IOC_CREATE, &create) ? -errno : 0;
}

/* Only who cannot be told of the domain finds it all the same. */
static int check_create(void *arg, long ret)
{
	SELF *self = arg;
	int err = pager_destroy(&self->bed.pager, self->name);

	if (ret == -EFAULT && err == -ENOENT)
		err = 0;
	if (ret == -ENOMEM)
		err = err == -ENOENT ? 0 : -EEXIST;
	return err ?: sound(self);
}

TEST_F(inject, create)
{
	static const char *const aeads[] = { "gcm(aes)", "aegis128", "rfc7539(chacha20,poly1305)" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(aeads); i++) {
		struct inject_sweep sweep = {
			.name = "CREATE", .run = create, .check = check_create,
			.arg = self, .errors = ERRORS(ENOMEM, EFAULT),
			.must = FAIL_SLAB | FAIL_COPY, .may = FAIL_PAGE,
		};

		self->aead = aeads[i];
		if (create(self) == -EOPNOTSUPP)
			continue;
		EXPECT_EQ(0, pager_destroy(&self->bed.pager, self->name));
		EXPECT_EQ(0, inject_sweep(&sweep)) TH_LOG("%s", aeads[i]);
		EXPECT_LE(2, sweep_copies(sweep));
	}
}

static long adopt(void *arg)
{
	SELF *self = arg;
	struct kmdom_adopt adopt = { .pool_frames = POOL, .slots = 2, .flags = self->flags };
	int fd;

	strcpy(adopt.name, self->flags ? self->bed.name : self->name);
	fd = ioctl(self->bed.pager.ctl, KMDOM_IOC_ADOPT, &adopt);
	return fd < 0 ? -errno : fd;
}

/* A descriptor that was reserved and given back is the next one again. */
static int check_adopt(void *arg, long ret)
{
	SELF *self = arg;

	if (ret >= 0)
		close(ret);
	return domain_conserved(self->name) ?: sound(self);
}

/* Even root may lock that many frames only: what is charged and not given back shows. */
static int limit_locked(unsigned int frames)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct rlimit limit = {
		.rlim_cur = frames * KMDOM_FRAME_SIZE, .rlim_max = frames * KMDOM_FRAME_SIZE,
	};
	struct __user_cap_data_struct caps[2];

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || syscall(SYS_capget, &header, caps))
		return -errno;
	caps[0].effective &= ~(1U << CAP_IPC_LOCK);
	return syscall(SYS_capset, &header, caps) ? -errno : 0;
}

TEST_F(inject, adopt)
{
	struct inject_sweep sweep = {
		.name = "ADOPT", .run = adopt, .check = check_adopt, .arg = self,
		.errors = ERRORS(ENOMEM, EFAULT), .must = MEMORY | FAIL_COPY,
	};
	int fd = dup(0), again;

	close(fd);
	ASSERT_EQ(0, create(self));
	/* Some frames of the test before may still be on their way. */
	ASSERT_EQ(0, limit_locked(FRAMES + POOL + POOL / 2));
	EXPECT_EQ(0, inject_sweep(&sweep));
	/* Its frames, at least; and all that their session is made of. */
	EXPECT_LE(POOL, sweep.failed[INJECT_PAGE]);
	EXPECT_LE(5, sweep.failed[INJECT_SLAB]);
	EXPECT_LE(2, sweep_copies(sweep));
	again = dup(0);
	EXPECT_EQ(fd, again);
	close(again);
	EXPECT_EQ(0, pager_destroy(&self->bed.pager, self->name));
}

/*
 * The session that is taken over ends before the new one is made, if it comes
 * to that. A successor finds every page.
 */
static int check_takeover(void *arg, long ret)
{
	SELF *self = arg;
	struct pager *pager = &self->bed.pager;
	int err;

	if (ret >= 0)
		close(ret);
	pager_leave(pager);
	err = pager_adopt(pager, self->bed.name, DOOR_IOCTL, FRAMES, KMDOM_ADOPT_TAKEOVER);
	if (!err && pager_grant(pager, 0, LENT) != LENT)
		err = -EDQUOT;
	return err ?: sound(self);
}

TEST_F(inject, takeover)
{
	struct inject_sweep sweep = {
		.name = "ADOPT with TAKEOVER", .run = adopt, .check = check_takeover,
		.arg = self, .errors = ERRORS(ENOMEM, EFAULT), .must = MEMORY | FAIL_COPY,
	};
	struct kt_page page;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(self->refs); i++) {
		bytes_fill(&page, sizeof(page), i + 1);
		ASSERT_EQ(0, kt_new(self->bed.client, 0, KT_PAGE, &page, sizeof(page),
				    &self->refs[i]));
	}
	self->flags = KMDOM_ADOPT_TAKEOVER;
	EXPECT_EQ(0, inject_sweep(&sweep));
	for (i = 0; i < ARRAY_SIZE(self->refs); i++) {
		EXPECT_EQ(0, kt_get(self->bed.client, 0, KT_PAGE, self->refs[i], &page,
				    sizeof(page)));
		EXPECT_EQ(0, bytes_check(&page, sizeof(page), i + 1));
	}
}

/* Far from any other mapping, so that it needs page tables of its own. */
#define ALONE	((void *)(1UL << 44))

/* Without memory for these the fault is made again. */
static long map_and_touch(void *arg)
{
	SELF *self = arg;
	const size_t len = (FRAMES - LENT) * KMDOM_FRAME_SIZE;
	char *map = mmap(ALONE, len, PROT_READ | PROT_WRITE, MAP_SHARED,
			 self->bed.pager.fd, LENT * KMDOM_FRAME_SIZE);
	size_t at;

	if (map == MAP_FAILED)
		return -errno;
	for (at = 0; at < len; at += KMDOM_FRAME_SIZE)
		map[at] = 1;
	munmap(map, len);
	return 0;
}

TEST_F(inject, map_and_touch)
{
	struct inject_sweep sweep = {
		.name = "mmap of a pool", .run = map_and_touch, .check = check_sound,
		.arg = self, .must = FAIL_PAGE, .may = FAIL_SLAB,
	};

	EXPECT_EQ(0, inject_sweep(&sweep));
}

static long abort_it(void *arg)
{
	SELF *self = arg;

	return pager_abort(&self->bed.pager, self->name);
}

static long destroy(void *arg)
{
	SELF *self = arg;

	return pager_destroy(&self->bed.pager, self->name);
}

/* An aborted domain vanishes in its own time. */
static int wait_gone(const char *name)
{
	long long end = now_ms() + PROC_PATIENCE;
	struct kmdom_info info;
	int ret;

	while (!(ret = kmdom_info_find(name, &info)) && now_ms() < end)
		poll(NULL, 0, 5);
	return ret == -ENOENT ? 0 : ret ?: -ETIME;
}

/* One that could not be ended is there, and can be adopted. */
static int check_ended(void *arg, long ret)
{
	SELF *self = arg;
	long fd;
	int err;

	if (ret < 0) {
		fd = adopt(self);
		if (fd < 0)
			return fd;
		close(fd);
	} else {
		err = wait_gone(self->name) ?: create(self);
		if (err)
			return err;
	}
	return sound(self);
}

TEST_F(inject, abort_and_destroy)
{
	struct inject_sweep aborted = {
		.name = "ABORT", .run = abort_it, .check = check_ended, .arg = self,
		.errors = ERRORS(EFAULT), .must = FAIL_COPY,
	}, destroyed = {
		.name = "DESTROY", .run = destroy, .check = check_ended, .arg = self,
		.errors = ERRORS(EFAULT), .must = FAIL_COPY,
	}, reaped = {
		.name = "DESTROY, in its worker", .run = destroy, .check = check_ended,
		.arg = self, .may = MEMORY, .idle = true,	/* a cipher's key may need some */
	};

	ASSERT_EQ(0, create(self));
	EXPECT_EQ(0, inject_sweep(&destroyed));
	EXPECT_EQ(0, inject_sweep_kind(&reaped, INJECT_SLAB));
	EXPECT_EQ(0, inject_sweep(&aborted));
	EXPECT_EQ(0, destroy(self));
}

/* It goes after its grace, whether it was left or could not be adopted. */
static int check_orphaned(void *arg, long ret)
{
	SELF *self = arg;

	if (ret >= 0)
		close(ret);
	return wait_gone(self->name) ?: sound(self) ?: create(self);
}

TEST_F(inject, orphans_stay_orphans)
{
	struct inject_sweep sweep = {
		.name = "ADOPT of what is an orphan then", .run = adopt,
		.check = check_orphaned, .errors = ERRORS(ENOMEM), .arg = self,
		.must = FAIL_SLAB,
	};

	self->grace = 2;
	ASSERT_EQ(0, create(self));
	EXPECT_EQ(0, inject_sweep_from(&sweep, INJECT_SLAB));
	EXPECT_EQ(0, wait_gone(self->name));
}

static long info_get(void *arg)
{
	SELF *self = arg;
	struct kmdom_info info;

	return kmdom_info_find(self->bed.name, &info);
}

static int info_count(const struct kmdom_info *info, void *arg)
{
	++*(int *)arg;
	return 0;
}

static long info_list(void *arg)
{
	int count = 0, ret = kmdom_info_list(info_count, &count);

	return ret ?: count ? 0 : -ENOENT;
}

static long cache_get(void *arg)
{
	SELF *self = arg;
	struct kmdom_cache_schema cache;
	int ret = kmdom_cache_find(self->bed.name, "kt_page", &cache);

	return ret ?: cache.nr_fields ? 0 : -ENODATA;
}

static int cache_count(const struct kmdom_cache_schema *cache, void *arg)
{
	++*(int *)arg;
	return 0;
}

/* The two caches of the bed, and with these those of all domains. */
static long cache_list(void *arg)
{
	SELF *self = arg;
	int own = 0, all = 0, ret;

	ret = kmdom_cache_list(self->bed.name, cache_count, &own) ?:
		kmdom_cache_list(NULL, cache_count, &all);
	return ret ?: own == 2 && all >= own ? 0 : -ENOENT;
}

TEST_F(inject, netlink)
{
	struct inject_sweep get = {
		.name = "netlink domain-get", .run = info_get, .check = check_sound,
		.arg = self, .errors = ERRORS(ENOMEM), .must = FAIL_SLAB, .may = FAIL_PAGE,
	}, list = {
		/* The kernel may have made the message before it comes to us. */
		.name = "netlink domain-get, dump", .run = info_list, .check = check_sound,
		.arg = self, .errors = ERRORS(ENOMEM), .may = MEMORY, .idle = true,
	}, get_cache = {
		.name = "netlink cache-get", .run = cache_get, .check = check_sound,
		.arg = self, .errors = ERRORS(ENOMEM), .must = FAIL_SLAB, .may = FAIL_PAGE,
	}, list_caches = {
		.name = "netlink cache-get, dump", .run = cache_list, .check = check_sound,
		.arg = self, .errors = ERRORS(ENOMEM), .may = MEMORY, .idle = true,
	};

	EXPECT_EQ(0, inject_sweep(&get));
	EXPECT_EQ(0, inject_sweep(&list));
	EXPECT_EQ(0, inject_sweep(&get_cache));
	EXPECT_EQ(0, inject_sweep(&list_caches));
}

static long find(void *arg)
{
	SELF *self = arg;

	return client_find(self->client, self->bed.name);
}

static long find_fd(void *arg)
{
	SELF *self = arg;
	struct kt_req req = { .fd = self->bed.pager.fd };

	return kt(self->client, KT_IOC_FIND, &req);
}

static int check_find(void *arg, long ret)
{
	SELF *self = arg;
	struct kt_req req = { 0 };

	return (ret ? 0 : kt(self->client, KT_IOC_PUT, &req)) ?: sound(self);
}

static long attach(void *arg)
{
	SELF *self = arg;

	return client_attach(self->client, KT_TRIM);
}

/* In another domain each time: a cache stays where it was once made. */
static int check_attach(void *arg, long ret)
{
	SELF *self = arg;
	struct kt_req req = { .type = KT_TRIM };
	int err = ret ? 0 : kt(self->client, KT_IOC_DETACH, &req);

	err = err ?: kt(self->client, KT_IOC_PUT, &req);
	err = err ?: destroy(self);
	bed_name(self->name, sizeof(self->name));
	err = err ?: create(self);
	return err ?: client_find(self->client, self->name) ?: sound(self);
}

TEST_F(inject, clients_come)
{
	struct inject_sweep by_name = {
		.name = "find a domain", .run = find, .check = check_find, .arg = self,
	}, by_fd = {
		.name = "find a session's domain", .run = find_fd, .check = check_find,
		.arg = self,
	}, attached = {
		.name = "attach a type", .run = attach, .check = check_attach, .arg = self,
		.errors = ERRORS(ENOMEM), .must = FAIL_SLAB, .may = FAIL_PAGE,
	};
	struct kt_req req = { 0 };

	EXPECT_EQ(0, inject_sweep(&by_name));
	EXPECT_EQ(0, inject_sweep(&by_fd));
	ASSERT_EQ(0, create(self));
	ASSERT_EQ(0, client_find(self->client, self->name));
	EXPECT_EQ(0, inject_sweep(&attached));
	ASSERT_EQ(0, kt(self->client, KT_IOC_PUT, &req));
	EXPECT_EQ(0, destroy(self));
}

#define CROWD	600	/* caches, whose magazines need new pages for each CPU */

static long attach_crowd(void *arg)
{
	SELF *self = arg;
	struct kt_req req = { .nr_pins = CROWD };

	return kt(self->client, KT_IOC_CROWD, &req);
}

/*
 * Magazines are memory of each CPU's own, which has no switch to make it fail. It
 * comes from pages that were filled for it ahead of time, by a worker too: without
 * any new one, those that there are do not last. The caches that were made stay, so
 * that it comes a little further each time.
 */
TEST_F(inject, memory_of_each_cpu)
{
	struct inject_sweep sweep = {
		.name = "attach without memory of each CPU", .run = attach_crowd,
		.check = check_sound, .arg = self, .errors = ERRORS(ENOMEM),
		.must = FAIL_PAGE,
	};
	struct kt_req req = { 0 };

	ASSERT_EQ(0, create(self));
	ASSERT_EQ(0, client_find(self->client, self->name));
	inject_end();
	ASSERT_EQ(0, inject_begin_function("pcpu_populate_chunk"));
	EXPECT_EQ(0, inject_sweep_from(&sweep, INJECT_PAGE));
	EXPECT_LT(0, sweep.returned[ENOMEM]);
	ASSERT_EQ(0, kt(self->client, KT_IOC_CROWD, &req));
	ASSERT_EQ(0, kt(self->client, KT_IOC_PUT, &req));
	EXPECT_EQ(0, destroy(self));
}

/* An object's whole life, its page in a frame: no step of it allocates. */
static long live(void *arg)
{
	SELF *self = arg;
	struct kt_req req = { .type = KT_SMALL };
	struct kt_small small, back;
	uint64_t ref;
	int ret;

	small_fill(&small, 5);
	ret = client_find(self->client, self->bed.name) ?:
		kt(self->bed.client, KT_IOC_DETACH, &req) ?:
		client_attach(self->bed.client, KT_SMALL) ?:
		kt_new(self->bed.client, 0, KT_SMALL, &small, sizeof(small), &ref) ?:
		kt_get(self->bed.client, 0, KT_SMALL, ref, &back, sizeof(back)) ?:
		small_check(&back, 5) ?:
		kt_set(self->bed.client, 0, KT_SMALL, ref, &back, sizeof(back)) ?:
		kt_del(self->bed.client, 0, KT_SMALL, ref);
	return ret ?: kt(self->client, KT_IOC_PUT, &req);
}

TEST_F(inject, objects_need_no_memory)
{
	struct inject_sweep sweep = {
		.name = "an object's life", .run = live, .check = check_sound, .arg = self,
	};

	EXPECT_EQ(0, inject_sweep(&sweep));
	EXPECT_EQ(1, sweep.runs);
}

/* What has two ways to allocate has none: all of a kind fails from some call on. */
TEST_F(inject, no_more_memory)
{
	int kind;

	for (kind = INJECT_SLAB; kind <= INJECT_PAGE; kind++) {
		struct inject_sweep created = {
			.name = "CREATE without more memory", .run = create,
			.check = check_create, .errors = ERRORS(ENOMEM), .arg = self,
			.must = 1U << kind,
		}, adopted = {
			.name = "ADOPT without more memory", .run = adopt,
			.check = check_adopt, .errors = ERRORS(ENOMEM), .arg = self,
			.must = 1U << kind,
		}, attached = {
			.name = "attach without more memory", .run = attach,
			.check = check_attach, .errors = ERRORS(ENOMEM), .arg = self,
			/* Its objects are small: their slabs have room. */
			.may = MEMORY, .idle = kind == INJECT_PAGE,
		};
		struct kt_req req = { 0 };

		EXPECT_EQ(0, inject_sweep_from(&created, kind));
		ASSERT_EQ(0, create(self));
		EXPECT_EQ(0, inject_sweep_from(&adopted, kind));
		ASSERT_EQ(0, client_find(self->client, self->name));
		EXPECT_EQ(0, inject_sweep_from(&attached, kind));
		ASSERT_EQ(0, kt(self->client, KT_IOC_PUT, &req));
		ASSERT_EQ(0, destroy(self));
	}
}

int main(int argc, char **argv)
{
	return inject_main(argc, argv, test_harness_run);
}
