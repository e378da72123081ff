// SPDX-License-Identifier: GPL-2.0
/*
 * What a domain keeps in the kernel while all of it is in its pager's store: a fixed
 * sum, however many pages it has.
 *
 * Counted are the kernel's own allocations, by the tracepoints kmem:* whose call
 * site is in kmdom.ko, less what is freed there; what others free for it counts as
 * kept. One process is pager and client: with frames at hand no call waits. An event
 * that was lost, or more allocations than the count has room for, is an error.
 *
 * What others allocate for it is not seen there: the nodes of an xarray, whole pages,
 * memory by CPU. So what the domain's memory cgroup is charged for in the kernel must
 * not grow either, though that cannot be told to the byte.
 *
 * RESIDUE_PAGES in the environment: how many pages; the same is done with a
 * sixteenth of them, and compared.
 */
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/mman.h>
#include "harness.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	5000

#define TRACEFS		"/sys/kernel/tracing/"
#define TRACE_KB	4096	/* of events, for each CPU */
#define TRACE_KB_LEAST	8
#define KEPT_MAX	65536	/* allocations at a time */
#define FRAMES		512
#define CHUNK		64	/* pages that are exchanged at a time */
#define RECORD		192	/* bytes of a page's record here, at most */
#define DEFAULT_PAGES	65536
#define FEW		16	/* so many times less */
#define LIMIT		4096	/* bytes that may be kept */
#define GROWTH		512	/* bytes by which many may differ from few */
/*
 * Bytes by which a charge may grow. Each CPU holds back up to a page of what it charges
 * or gives back, and the process may need another page of its own in the kernel: some
 * pages, however many the domain has. A byte for each of the domain's would be four
 * times as much (DEFAULT_PAGES), and what is conceivable for a page is 8 or more: its
 * version, in an xarray.
 */
#define CHARGED		16384
/* The kernel adds up what CPUs have counted each 2 s; workers of a ring end after 5. */
#define CHARGES_MS	8000
#define FIRST		511	/* pages that come first: those of a table */
#define LEAST		1024	/* pages */

/* Records of pages of objects, by index: there are too many for a struct store. */
struct small_record {
	uint64_t version;
	uint16_t len;
	uint8_t data[RECORD - 10];
};

/**
 * struct kept - what was allocated, and not freed by the same hand
 * @sum: bytes
 * @nr_events: events that it was read from
 * @nr: how many allocations
 * @max: room in @of
 * @of: the allocations
 */
struct kept {
	long sum;
	unsigned int nr_events;
	unsigned int nr;
	unsigned int max;
	struct allocation {
		uint64_t ptr;
		uint64_t bytes;
	} of[KEPT_MAX];
};

/* What is charged for in the kernel, as memory.stat has it; "kernel" is the sum of all. */
static const char *const charges[] = { "kernel", "slab", "percpu" };

FIXTURE(residue) {
	struct bed bed;
	struct pager *pager;
	int fd;
	uint32_t pages;
	struct small_record *records;
	struct kept *kept;
	struct kmdom_op ops[CHUNK];
	struct kmdom_result results[CHUNK];
};

FIXTURE_VARIANT(residue) { enum door_kind door; uint32_t part; };
FIXTURE_VARIANT_ADD(residue, few) { .door = DOOR_IOCTL, .part = FEW };
FIXTURE_VARIANT_ADD(residue, many) { .door = DOOR_URING, .part = 1 };

/* What few have kept, for the process that does it with many. */
static struct {
	long sum;
	bool known;
} *kept_by_few;

__attribute__((constructor)) static void share(void)
{
	kept_by_few = shared_alloc(sizeof(*kept_by_few));
}

/*
 * What this process touches later has a page table by now, and what it shares nodes of
 * an xarray: both are charged for.
 */
static int populate(void *from, size_t bytes)
{
	uintptr_t first = (uintptr_t)from & ~4095UL, end = (uintptr_t)from + bytes;

	return madvise((void *)first, end - first, MADV_POPULATE_WRITE) ? -errno : 0;
}

FIXTURE_SETUP(residue)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .records = 8192, .newest_only = true,
		.types = 1 << KT_TRIM,
	};
	const char *pages = getenv("RESIDUE_PAGES");

	self->pages = pages ? strtoul(pages, NULL, 0) : scaled("pages", DEFAULT_PAGES);
	self->pages /= variant->part;
	/* Scaled down, too, more than come first. */
	if (self->pages < LEAST)
		self->pages = LEAST;
	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.pager;
	self->fd = self->bed.client;
	self->records = mmap(NULL, (self->pages + 1) * sizeof(*self->records),
			     PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->records);
	ASSERT_EQ(0, populate(self->records, (self->pages + 1) * sizeof(*self->records)));
	ASSERT_EQ(0, populate(self->bed.store, sizeof(*self->bed.store) +
			      self->bed.store->capacity * sizeof(struct stored)));
	self->kept = malloc(sizeof(*self->kept));
	ASSERT_NE(NULL, self->kept);
}

FIXTURE_TEARDOWN(residue)
{
	EXPECT_EQ(0, bed_down(&self->bed));
	free(self->kept);
	munmap(self->records, (self->pages + 1) * sizeof(*self->records));
}

static int put(const char *file, const char *format, ...)
{
	char text[160];
	va_list args;
	int fd, len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = write(fd, text, len) == len ? 0 : -errno;
	close(fd);
	return len;
}

static const char *const events[] = { "kmalloc", "kmem_cache_alloc", "kfree", "kmem_cache_free" };

/* Where the module's code is. */
static int code_range(unsigned long *from, unsigned long *to)
{
	FILE *file = fopen("/proc/modules", "re");
	unsigned long size, base;
	char line[256];
	int ret = -ENOENT;

	while (file && ret && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "kmdom %lu %*s %*s %*s %lx", &size, &base) != 2)
			continue;
		*from = base;
		*to = base + size;
		ret = base ? 0 : -EPERM;
	}
	if (file)
		fclose(file);
	return ret;
}

static int trace_begin(unsigned int kb)
{
	unsigned long from, to;
	char path[96];
	unsigned int i;
	int ret = code_range(&from, &to);

	for (i = 0; i < ARRAY_SIZE(events) && !ret; i++) {
		snprintf(path, sizeof(path), TRACEFS "events/kmem/%s/filter", events[i]);
		ret = put(path, "call_site >= 0x%lx && call_site < 0x%lx", from, to);
		snprintf(path, sizeof(path), TRACEFS "events/kmem/%s/enable", events[i]);
		ret = ret ?: put(path, "1");
	}
	ret = ret ?: put(TRACEFS "buffer_size_kb", "%u", kb);
	ret = ret ?: put(TRACEFS "trace", "");
	return ret ?: put(TRACEFS "tracing_on", "1");
}

static void trace_end(void)
{
	char path[96];
	unsigned int i;

	put(TRACEFS "tracing_on", "0");
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		snprintf(path, sizeof(path), TRACEFS "events/kmem/%s/enable", events[i]);
		put(path, "0");
		snprintf(path, sizeof(path), TRACEFS "events/kmem/%s/filter", events[i]);
		put(path, "0");
	}
}

/* Events that a CPU's buffer had no room for; the other figures are not of losses. */
static unsigned long lost_in(const char *stats)
{
	FILE *file = fopen(stats, "re");
	unsigned long lost = 0, nr;
	char line[128];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "overrun: %lu", &nr) == 1 ||
		    sscanf(line, "commit overrun: %lu", &nr) == 1 ||
		    sscanf(line, "dropped events: %lu", &nr) == 1)
			lost += nr;
	}
	if (file)
		fclose(file);
	return lost;
}

/* Of all CPUs; -ENOENT if that is not told. */
static int trace_complete(void)
{
	unsigned long lost = 0;
	glob_t stats;
	size_t i;

	if (glob(TRACEFS "per_cpu/cpu*/stats", 0, NULL, &stats))
		return -ENOENT;
	for (i = 0; i < stats.gl_pathc; i++)
		lost += lost_in(stats.gl_pathv[i]);
	globfree(&stats);
	if (lost)
		printf("# %lu events were lost: there is no sum\n", lost);
	return lost ? -EOVERFLOW : 0;
}

static int keep(struct kept *kept, uint64_t ptr, uint64_t bytes)
{
	if (kept->nr == kept->max) {
		printf("# more than %u allocations: there is no sum\n", kept->max);
		return -E2BIG;
	}
	kept->of[kept->nr++] = (struct allocation) { ptr, bytes };
	kept->sum += bytes;
	return 0;
}

static void forget(struct kept *kept, uint64_t ptr)
{
	unsigned int i;

	for (i = 0; i < kept->nr; i++) {
		if (kept->of[i].ptr != ptr)
			continue;
		kept->sum -= kept->of[i].bytes;
		kept->of[i] = kept->of[--kept->nr];
		return;
	}
}

static int trace_read(struct kept *kept)
{
	FILE *file = fopen(TRACEFS "trace", "re");
	char line[512], *ptr, *bytes;
	uint64_t address;
	int ret = file ? 0 : -errno;

	while (!ret && fgets(line, sizeof(line), file)) {
		ptr = strstr(line, "ptr=");
		if (line[0] == '#' || !ptr)
			continue;
		kept->nr_events++;
		address = strtoull(ptr + 4, NULL, 16);
		bytes = strstr(line, "bytes_alloc=");
		if (bytes)
			ret = keep(kept, address, strtoull(bytes + 12, NULL, 0));
		else
			forget(kept, address);
	}
	if (file)
		fclose(file);
	return ret;
}

/* What is kept since trace_begin(): of at most @max allocations. */
static int trace_sum(struct kept *kept, unsigned int max)
{
	trace_end();
	kept->sum = 0;
	kept->nr_events = 0;
	kept->nr = 0;
	kept->max = max;
	return trace_complete() ?: trace_read(kept);
}

/* The cgroup of this process, which has created the domain, and has all to itself. */
static int open_stat(FILE **stat)
{
	char path[160], cgroup[96] = "";
	FILE *file = fopen("/proc/self/cgroup", "re");

	if (!file || fscanf(file, "0::%95s", cgroup) != 1)
		cgroup[0] = '\0';
	if (file)
		fclose(file);
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.stat", cgroup);
	*stat = fopen(path, "re");
	return *stat ? 0 : -errno;
}

/* What is charged for by now, when all of it has been added up. */
static int charges_read(long *bytes)
{
	unsigned int i, found = 0;
	char name[64];
	FILE *stat;
	long value;
	int ret = open_stat(&stat);

	/* To open it is charged for. */
	poll(NULL, 0, CHARGES_MS);
	while (!ret && fscanf(stat, "%63s %ld", name, &value) == 2) {
		for (i = 0; i < ARRAY_SIZE(charges); i++) {
			if (strcmp(name, charges[i]))
				continue;
			bytes[i] = value;
			found++;
		}
	}
	if (!ret)
		fclose(stat);
	return ret ?: found == ARRAY_SIZE(charges) ? 0 : -ENODATA;
}

/* Exports and evicts a run of pages of objects. */
static int take(struct _test_data_residue *self, uint64_t first, uint32_t nr)
{
	struct small_record *rec;
	uint32_t i;
	int ret;

	for (i = 0; i < nr; i++)
		self->ops[i] = (struct kmdom_op) {
			.code = KMDOM_OP_EXPORT, .index = first + i, .len = sizeof(rec->data),
			.buf = (unsigned long)self->records[first + i].data,
		};
	ret = pager_exchange(self->pager, self->ops, self->results, nr);
	for (i = 0; i < nr && !ret; i++) {
		rec = &self->records[first + i];
		ret = self->results[i].ret == -EALREADY ? 0 : self->results[i].ret;
		if (!self->results[i].ret)
			rec->len = self->results[i].len;
		rec->version = self->results[i].version;
		self->ops[i] = (struct kmdom_op) {
			.code = KMDOM_OP_EVICT, .index = first + i, .version = rec->version,
		};
	}
	ret = ret ?: pager_exchange(self->pager, self->ops, self->results, nr);
	for (i = 0; i < nr && !ret; i++)
		ret = self->results[i].ret;
	return ret;
}

static int bring(struct _test_data_residue *self, uint64_t first, uint32_t nr)
{
	uint32_t i;
	int ret;

	for (i = 0; i < nr; i++) {
		struct small_record *rec = &self->records[first + i];

		self->ops[i] = (struct kmdom_op) {
			.code = KMDOM_OP_RESTORE, .index = first + i, .version = rec->version,
			.buf = (unsigned long)rec->data, .len = rec->len,
		};
	}
	ret = pager_exchange(self->pager, self->ops, self->results, nr);
	for (i = 0; i < nr && !ret; i++)
		ret = self->results[i].ret;
	return ret;
}

/* The table of a level over a page leaves, if the page was the last under it. */
static int take_tables(struct pager *pager, uint64_t index)
{
	unsigned int level;
	int ret = 0;

	for (level = 1; level <= KMDOM_LEVELS && !ret; level++) {
		if ((index + 1) & ((1ULL << 9 * level) - 1))
			break;
		ret = pager_preempt(pager, PAGE_OF(level, index >> 9 * level));
		/* Those at the cursor are needed until all is made. */
		if (ret == -EBUSY)
			ret = 0;
	}
	return ret;
}

/* Makes pages from one to another, each with its number in its one object. */
static int make(struct _test_data_residue *self, uint64_t first, uint64_t last)
{
	uint64_t index, ref = 0, value;
	uint32_t nr;
	int ret = 0;

	for (index = first; index <= last && !ret; index += nr) {
		for (nr = 0; nr < CHUNK - index % CHUNK && !ret; nr++) {
			value = index + nr;
			if (value > last)
				break;
			ret = kt_new(self->fd, 0, KT_TRIM, &value, sizeof(value), &ref);
			if (!ret && KT_REF_INDEX(ref) != value)
				ret = -EBADSLT;
		}
		ret = ret ?: take(self, index, nr);
		ret = ret ?: take_tables(self->pager, index + nr - 1);
	}
	return ret;
}

/* All that is left: the tables over the last page, and over the cursor. */
static int take_rest(struct _test_data_residue *self)
{
	unsigned int level;
	int ret = 0;

	for (level = 1; level <= KMDOM_LEVELS && !ret; level++) {
		uint64_t last = self->pages;

		ret = pager_preempt(self->pager, PAGE_OF(level, last >> 9 * level));
		if (ret == -ENOENT)
			ret = 0;
	}
	return ret;
}

/* The tables over a page come, those that are absent. */
static int bring_tables(struct pager *pager, uint64_t index)
{
	struct kmdom_page page;
	unsigned int level;
	int ret = 0;

	for (level = KMDOM_LEVELS; level && !ret; level--) {
		uint64_t table = PAGE_OF(level, index >> 9 * level);

		ret = pager_look(pager, table, &page);
		if (!ret && page.state == KMDOM_PAGE_ABSENT)
			ret = pager_answer(pager, table, page.version);
	}
	return ret;
}

static int verify_all(struct _test_data_residue *self)
{
	uint64_t index, value;
	uint32_t nr, i;
	int ret = 0;

	for (index = 1; index <= self->pages && !ret; index += nr) {
		nr = CHUNK - index % CHUNK;
		if (index + nr > self->pages + 1)
			nr = self->pages + 1 - index;
		ret = bring_tables(self->pager, index) ?: bring(self, index, nr);
		for (i = 0; i < nr && !ret; i++) {
			ret = kt_get(self->fd, 0, KT_TRIM, (index + i) << 8, &value, sizeof(value));
			if (!ret && value != index + i)
				ret = -EILSEQ;
		}
		ret = ret ?: take(self, index, nr);
		ret = ret ?: take_tables(self->pager, index + nr - 1);
	}
	return ret ?: take_rest(self);
}

static int await_no_frames(const char *name)
{
	long long end = now_ms() + PROC_PATIENCE;
	struct kmdom_info info;
	int ret;

	while (!(ret = kmdom_info_find(name, &info)) && info.frames_used) {
		if (now_ms() > end)
			return -ETIME;
		usleep(1000);
	}
	return ret;
}

/* The first table has left when charges are read: doors and rings have what they need. */
TEST_F(residue, fixed)
{
	long before[ARRAY_SIZE(charges)], after[ARRAY_SIZE(charges)];
	struct kmdom_info info;
	unsigned int i;

	ASSERT_EQ(0, trace_begin(TRACE_KB));
	EXPECT_EQ(0, make(self, 1, FIRST));
	ASSERT_EQ(0, charges_read(before));
	EXPECT_EQ(0, make(self, FIRST + 1, self->pages));
	EXPECT_EQ(0, take_rest(self));
	EXPECT_EQ(0, await_no_frames(self->bed.name));
	ASSERT_EQ(0, charges_read(after));
	ASSERT_EQ(0, trace_sum(self->kept, KEPT_MAX));
	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
	EXPECT_EQ(self->pages, info.pages_absent);
	EXPECT_EQ(0, info.pages_present);
	EXPECT_EQ(0, info.tables);
	EXPECT_EQ(0, info.frames_used);
	printf("# residue: pages=%u bytes=%ld (%u events)\n", self->pages, self->kept->sum,
	       self->kept->nr_events);
	for (i = 0; i < ARRAY_SIZE(charges); i++) {
		printf("# charged for more: %s=%ld\n", charges[i], after[i] - before[i]);
		EXPECT_GT(CHARGED, after[i] - before[i]);
	}
	EXPECT_GT(LIMIT, self->kept->sum);
	if (variant->part > 1) {
		kept_by_few->sum = self->kept->sum;
		kept_by_few->known = true;
	} else {
		ASSERT_TRUE(kept_by_few->known);
		EXPECT_GT(GROWTH, labs(self->kept->sum - kept_by_few->sum));
	}
	EXPECT_EQ(0, verify_all(self));
	EXPECT_EQ(0, await_no_frames(self->bed.name));
	EXPECT_EQ(0, bed_conserved(&self->bed));
}

/* That the count counts: what a domain, a cache and a session are made of. */
TEST_F(residue, counts)
{
	struct pager other;

	ASSERT_EQ(0, pager_open(&other, self->bed.store));
	ASSERT_EQ(0, trace_begin(TRACE_KB));
	ASSERT_EQ(0, pager_create(&other, "residue", 256, 60));
	ASSERT_EQ(0, trace_sum(self->kept, KEPT_MAX));
	EXPECT_LT(1000, self->kept->sum);
	EXPECT_LT(1, self->kept->nr);
	EXPECT_EQ(0, pager_destroy(&other, "residue"));
	pager_close(&other);
}

/* What there is no room for, here or in the kernel, is not passed over in silence. */
TEST_F(residue, misses_nothing)
{
	struct pager other;
	unsigned int i;

	ASSERT_EQ(0, pager_open(&other, self->bed.store));
	ASSERT_EQ(0, trace_begin(TRACE_KB));
	EXPECT_EQ(0, pager_create(&other, "residue", 256, 60));
	EXPECT_EQ(-E2BIG, trace_sum(self->kept, 1));
	EXPECT_EQ(0, trace_sum(self->kept, KEPT_MAX));
	EXPECT_EQ(0, pager_destroy(&other, "residue"));

	ASSERT_EQ(0, trace_begin(TRACE_KB_LEAST));
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(0, pager_create(&other, "residue", 256, 60));
		EXPECT_EQ(0, pager_destroy(&other, "residue"));
	}
	EXPECT_EQ(-EOVERFLOW, trace_sum(self->kept, KEPT_MAX));
	pager_close(&other);
}

TEST_HARNESS_MAIN
