// SPDX-License-Identifier: GPL-2.0
/*
 * Exchanges while each copy and each allocation of them fails in turn. One whose
 * result is lost can be repeated; what was not delivered is delivered again; and
 * paging allocates nothing.
 */
#include <poll.h>
#include "harness.h"
#include "inject.h"

#define FRAMES	192	/* of the pool */
#define LENT	160	/* of these */
#define CHUNK	8	/* frames that a test lends and takes back */
#define PAGES	BED_PROCS	/* wanted by as many helpers */
#define TABLE	PAGE_OF(1, 0)	/* over all of them */

FIXTURE(exchange) {
	struct bed bed;
	struct pager *pager;
	struct proc *proc;
	int fd;
	uint64_t refs[PAGES];		/* objects that fill a page each */
	uint64_t seed;			/* of what they hold, and those that follow */
	struct kmdom_op op;		/* that is made to fail */
	const struct step *step;
	struct kmdom_event events[PAGES];
	int nr_events;			/* delivered */
	struct kmdom_result results[PAGES];
	int nr_results;			/* delivered */
	bool late;			/* events come when they are waited for */
};

BOTH_DOORS(exchange);

#define SELF	FIXTURE_DATA(exchange)

/* Fills all pages anew: they are present and dirty then. */
static int fill(SELF *self)
{
	struct kt_page page;
	int i, ret = 0;

	self->seed += PAGES;
	for (i = 0; i < PAGES && !ret; i++) {
		bytes_fill(&page, sizeof(page), self->seed + i);
		ret = kt_set(self->fd, 0, KT_PAGE, self->refs[i], &page, sizeof(page));
	}
	return ret;
}

FIXTURE_SETUP(exchange)
{
	struct bed_spec spec = {
		.door = variant->door, .frames = FRAMES, .keep_frames = true, .procs = BED_PROCS,
		.types = 1 << KT_PAGE, .newest_only = true,
	};
	int i;

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->pager = &self->bed.pager;
	self->proc = self->bed.procs;
	self->fd = self->bed.client;
	ASSERT_EQ(LENT, pager_grant(self->pager, 0, LENT));
	for (i = 0; i < PAGES; i++)
		ASSERT_EQ(0, kt_new(self->fd, 0, KT_PAGE, NULL, 0, &self->refs[i]));
	ASSERT_EQ(0, fill(self));
	/* What is made once, when it is first needed, has been made. */
	ASSERT_EQ(0, bed_serves(&self->bed));
	ASSERT_EQ(0, inject_begin("kmdom"));
}

FIXTURE_TEARDOWN(exchange)
{
	inject_end();
	EXPECT_EQ(0, bed_down(&self->bed));
}

static uint64_t index_of(SELF *self, int i)
{
	return KT_REF_INDEX(self->refs[i]);
}

static int sound(SELF *self)
{
	return bed_serves(&self->bed) ?: bed_conserved(&self->bed);
}

/**
 * struct step - an operation that is made to fail
 * @name: of the operation
 * @code: enum kmdom_op_code
 * @flags: KMDOM_OPF_*
 * @again: what it says if it was carried out before, and its result was lost
 * @prepare: puts things so that it can be carried out, and fills in self->op
 * @finish: it was carried out: is everything as it has to be?
 */
struct step {
	const char *name;
	uint16_t code;
	uint16_t flags;
	int again;
	int (*prepare)(SELF *self);
	int (*finish)(SELF *self);
};

/* The first page is what most operations are about. */
static int page_is_back(SELF *self)
{
	struct kt_page page;

	bytes_fill(&page, sizeof(page), self->seed);
	return bed_fault_back(&self->bed, self->refs[0], &page);
}

static int page_is_there(SELF *self)
{
	struct kt_page page;

	return kt_get(self->fd, 0, KT_PAGE, self->refs[0], &page, sizeof(page)) ?:
		bytes_check(&page, sizeof(page), self->seed);
}

static int prepare_export(SELF *self)
{
	self->op.index = index_of(self, 0);
	self->op.buf = (unsigned long)self->pager->buf;
	self->op.len = KMDOM_RECORD_MAX;
	return fill(self);
}

/* Keeps the record in a buffer, whose result may have been lost. */
static int keep_record(SELF *self, const void *record, struct kmdom_record_info *info)
{
	int ret = kmdom_record_parse(record, KMDOM_RECORD_MAX, info);

	if (!ret)
		store_put(self->bed.store, PAGE_OF(info->level, info->index), info->version,
			  record, info->length);
	return ret;
}

static int finish_export(SELF *self)
{
	struct kmdom_record_info info;

	return keep_record(self, self->pager->buf, &info) ?:
		pager_evict(self->pager, self->op.index, info.version, 0) ?:
		page_is_back(self);
}

static int prepare_exported(SELF *self)
{
	int ret = fill(self) ?: pager_export(self->pager, index_of(self, 0), 0);

	self->op.index = index_of(self, 0);
	self->op.version = self->pager->res.version;
	return ret;
}

static int finish_stored(SELF *self)
{
	return pager_evict(self->pager, self->op.index, self->op.version, 0) ?:
		page_is_back(self);
}

static int prepare_absent(SELF *self)
{
	int ret = fill(self) ?: pager_preempt(self->pager, index_of(self, 0));

	self->op.index = index_of(self, 0);
	self->op.version = self->pager->res.version;
	return ret;
}

static int prepare_restore(SELF *self)
{
	int ret = prepare_absent(self);
	struct stored *entry;

	entry = store_get(self->bed.store, self->op.index, self->op.version);
	if (ret || !entry)
		return ret ?: -ENOKEY;
	self->op.buf = (unsigned long)entry->data;
	self->op.len = entry->len;
	return 0;
}

static int prepare_refuse(SELF *self)
{
	struct kmdom_event event;
	int ret = prepare_absent(self);

	if (ret)
		return ret;
	px_get_start(self->proc, self->fd, KT_PAGE, self->refs[0], 8);
	return pager_event(self->pager, KMDOM_EVENT_FAULT, &event);
}

static int finish_refuse(SELF *self)
{
	int ret = px_get_finish(self->proc, NULL, 0);

	return ret == -EIO ? page_is_back(self) : -EPROTO;
}

/* What is lost stays so, and another page takes its place. */
static int finish_lose(SELF *self)
{
	int ret = px_get_finish(self->proc, NULL, 0);
	struct kmdom_page state;
	struct kt_page page;

	if (ret != -EIO)
		return -EPROTO;
	ret = pager_look(self->pager, index_of(self, 0), &state);
	if (ret || state.state != KMDOM_PAGE_LOST)
		return ret ?: -EILSEQ;
	if (kt_get(self->fd, 0, KT_PAGE, self->refs[0], NULL, 0) != -EIO)
		return -EPROTO;
	bytes_fill(&page, sizeof(page), self->seed);
	return kt_new(self->fd, 0, KT_PAGE, &page, sizeof(page), &self->refs[0]);
}

/*
 * Of the table over all pages: they are absent, and it is named. Those that are so
 * from the step before are not filled: the pager cannot wait for its own answer.
 */
static int prepare_table(SELF *self)
{
	int ret = 0, i;

	for (i = 0; i < PAGES && !ret; i++) {
		ret = pager_preempt(self->pager, index_of(self, i));
		if (ret == -EALREADY)
			ret = 0;
	}
	self->op.level = 1;
	return ret;
}

static int prepare_table_export(SELF *self)
{
	self->op.buf = (unsigned long)self->pager->buf;
	self->op.len = KMDOM_RECORD_MAX;
	return prepare_table(self);
}

static int finish_table_export(SELF *self)
{
	struct kmdom_record_info info;

	return keep_record(self, self->pager->buf, &info) ?:
		pager_evict(self->pager, TABLE, info.version, 0) ?: page_is_back(self);
}

static int prepare_table_evict(SELF *self)
{
	int ret = prepare_table(self) ?: pager_export(self->pager, TABLE, 0);

	self->op.version = self->pager->res.version;
	return ret;
}

static int prepare_table_restore(SELF *self)
{
	int ret = prepare_table(self) ?: pager_preempt(self->pager, TABLE);
	struct stored *entry;

	self->op.version = self->pager->res.version;
	entry = store_get(self->bed.store, TABLE, self->op.version);
	if (ret || !entry)
		return ret ?: -ENOKEY;
	self->op.buf = (unsigned long)entry->data;
	self->op.len = entry->len;
	return 0;
}

static int prepare_scan(SELF *self)
{
	self->op.buf = (unsigned long)self->pager->buf;
	self->op.arg = KMDOM_SCAN_MAX;
	self->op.len = KMDOM_SCAN_MAX * sizeof(struct kmdom_page);
	return 0;
}

static int prepare_nothing(SELF *self)
{
	return 0;
}

static int prepare_grant(SELF *self)
{
	self->op.index = LENT;
	self->op.arg = CHUNK;
	return 0;
}

static int finish_grant(SELF *self)
{
	return pager_revoke(self->pager, LENT, CHUNK) == CHUNK ? 0 : -ENOBUFS;
}

static int prepare_revoke(SELF *self)
{
	self->op.index = LENT;
	self->op.arg = CHUNK;
	return pager_grant(self->pager, LENT, CHUNK) == CHUNK ? 0 : -ENOBUFS;
}

static const struct step steps[] = {
	{ "EXPORT", KMDOM_OP_EXPORT, 0, EALREADY, prepare_export, finish_export },
	{ "EXPORT with DRAIN", KMDOM_OP_EXPORT, KMDOM_OPF_DRAIN, EALREADY, prepare_export,
	  finish_export },
	{ "STORED", KMDOM_OP_STORED, 0, 0, prepare_exported, finish_stored },
	{ "EVICT", KMDOM_OP_EVICT, 0, EALREADY, prepare_exported, page_is_back },
	{ "EVICT with DRAIN", KMDOM_OP_EVICT, KMDOM_OPF_DRAIN, EALREADY, prepare_exported,
	  page_is_back },
	{ "RESTORE", KMDOM_OP_RESTORE, 0, EALREADY, prepare_restore, page_is_there },
	{ "REFUSE", KMDOM_OP_REFUSE, 0, 0, prepare_refuse, finish_refuse },
	{ "REFUSE with LOST", KMDOM_OP_REFUSE, KMDOM_OPF_LOST, EALREADY, prepare_refuse,
	  finish_lose },
	{ "EXPORT of a table", KMDOM_OP_EXPORT, 0, EALREADY, prepare_table_export,
	  finish_table_export },
	{ "EVICT of a table", KMDOM_OP_EVICT, 0, EALREADY, prepare_table_evict, page_is_back },
	{ "RESTORE of a table", KMDOM_OP_RESTORE, 0, EALREADY, prepare_table_restore,
	  page_is_back },
	{ "SCAN", KMDOM_OP_SCAN, 0, 0, prepare_scan, prepare_nothing },
	{ "SCAN with PRESENT", KMDOM_OP_SCAN, KMDOM_OPF_PRESENT | KMDOM_OPF_CLEAR, 0,
	  prepare_scan, prepare_nothing },
	{ "RESEND", KMDOM_OP_RESEND, 0, 0, prepare_nothing, prepare_nothing },
	{ "GRANT", KMDOM_OP_GRANT, 0, EBUSY, prepare_grant, finish_grant },
	{ "REVOKE", KMDOM_OP_REVOKE, 0, EBUSY, prepare_revoke, prepare_nothing },
};

static int begin_step(SELF *self)
{
	self->op = (struct kmdom_op) { .code = self->step->code, .flags = self->step->flags };
	return self->step->prepare(self);
}

static long run_step(void *arg)
{
	SELF *self = arg;

	return pager_op(self->pager, &self->op);
}

/* What the lost result of a GRANT or REVOKE said is the pager's to count. */
static void count_lost(SELF *self)
{
	if (self->op.code == KMDOM_OP_GRANT)
		atomic_fetch_add(self->pager->lent, self->op.arg);
	else if (self->op.code == KMDOM_OP_REVOKE)
		atomic_fetch_sub(self->pager->lent, self->op.arg);
}

static int check_step(void *arg, long ret)
{
	SELF *self = arg;
	int64_t err = ret < 0 ? pager_op(self->pager, &self->op) : 0;

	if (err < 0 && err == -self->step->again) {
		count_lost(self);
		err = 0;
	}
	if (err < 0)
		return err;
	return self->step->finish(self) ?: sound(self) ?: begin_step(self);
}

TEST_F(exchange, operations)
{
	struct inject_sweep sweep;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		sweep = (struct inject_sweep) {
			.name = steps[i].name, .run = run_step, .check = check_step,
			.arg = self, .errors = ERRORS(EFAULT), .must = FAIL_COPY,
		};
		self->step = &steps[i];
		ASSERT_EQ(0, begin_step(self)) TH_LOG("%s", steps[i].name);
		ASSERT_EQ(0, inject_sweep(&sweep)) TH_LOG("%s", steps[i].name);
		/* What may wait is done by a worker of the ring. */
		if (variant->door == DOOR_URING)
			ASSERT_EQ(0, inject_sweep_kind(&sweep, INJECT_COPY));
		/* The structure, the operation, the result, the counts. */
		EXPECT_LE(4, sweep.failed[INJECT_COPY]);
		EXPECT_EQ(sweep.runs - 1, sweep.returned[EFAULT]);
		/* What the last check has prepared is done. */
		ASSERT_LE(0, pager_op(self->pager, &self->op));
		ASSERT_EQ(0, self->step->finish(self));
	}
}

/* A read that begins a little later. */
static long get_late(void *arg)
{
	struct kt_call *call = arg;

	poll(NULL, 0, 50);
	return kt(call->fd, call->cmd, &call->req);
}

/* Has a helper read a page, which is absent. */
static int want(SELF *self, int i)
{
	struct proc *proc = &self->proc[i];
	struct kt_call call = {
		.fd = self->fd, .cmd = KT_IOC_GET, .req = {
			.op = proc->id, .type = KT_PAGE, .ref = self->refs[i],
			.buf = (unsigned long)proc->data, .len = sizeof(struct kt_page),
		},
	};

	if (self->late) {
		proc_start(proc, get_late, &call, sizeof(call));
		return 0;
	}
	px_get_start(proc, self->fd, KT_PAGE, self->refs[i], sizeof(struct kt_page));
	return proc_sleeps(proc, PROC_PATIENCE) ? 0 : -ETIME;
}

static int want_all(SELF *self)
{
	int i, ret = fill(self);

	for (i = 0; i < PAGES && !ret; i++)
		ret = pager_preempt(self->pager, index_of(self, i));
	/* Hints of what was freed are not what this is about. */
	while (!ret && (ret = pager_events(self->pager, self->events, PAGES, 0)) > 0)
		ret = 0;
	self->nr_events = 0;
	for (i = 0; i < PAGES && !ret; i++)
		ret = want(self, i);
	return ret;
}

static long take_events(void *arg)
{
	SELF *self = arg;
	int ret = pager_events(self->pager, self->events, PAGES, self->late ? SOON : 0);

	self->nr_events = self->pager->ex.nr_events;
	return ret;
}

/* Notes which pages are told of; an event of another type is none of these. */
static void note_events(SELF *self, bool *told, int nr)
{
	int i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < PAGES; j++)
			if (self->events[i].type == KMDOM_EVENT_FAULT &&
			    self->events[i].index == index_of(self, j))
				told[j] = true;
}

static int all_told(const bool *told)
{
	int i, nr = 0;

	for (i = 0; i < PAGES; i++)
		nr += told[i];
	return nr == PAGES;
}

/* Brings all pages back that are absent. */
static int restore_all(SELF *self)
{
	struct kmdom_page state;
	int i, ret = 0;

	for (i = 0; i < PAGES && !ret; i++) {
		ret = pager_look(self->pager, index_of(self, i), &state);
		if (!ret && state.state == KMDOM_PAGE_ABSENT)
			ret = pager_answer(self->pager, state.index, state.version);
	}
	return ret;
}

static int check_contents(SELF *self)
{
	struct kt_page page;
	int i, ret = 0;

	for (i = 0; i < PAGES && !ret; i++)
		ret = kt_get(self->fd, 0, KT_PAGE, self->refs[i], &page, sizeof(page)) ?:
			bytes_check(&page, sizeof(page), self->seed + i);
	return ret;
}

static int answer_all(SELF *self)
{
	struct kt_page page;
	int i, err, ret = restore_all(self);

	for (i = 0; i < PAGES; i++) {
		err = px_get_finish(&self->proc[i], &page, sizeof(page)) ?:
		      bytes_check(&page, sizeof(page), self->seed + i);
		ret = ret ?: err;
	}
	return ret;
}

/* Each page was told of once at least, before or after. */
static int check_events(void *arg, long ret)
{
	bool told[PAGES] = { false };
	SELF *self = arg;
	int nr = ret < 0 ? self->nr_events : ret;

	note_events(self, told, nr);
	while (!all_told(told)) {
		nr = pager_events(self->pager, self->events, PAGES, SOON);
		if (nr <= 0)
			return nr ?: -ENOENT;
		note_events(self, told, nr);
	}
	return answer_all(self) ?: sound(self) ?: want_all(self);
}

TEST_F(exchange, events)
{
	int late;

	for (late = 0; late < 2; late++) {
		struct inject_sweep sweep = {
			.name = late ? "events that are waited for" : "events",
			.run = take_events, .check = check_events, .arg = self,
			.errors = ERRORS(EFAULT), .must = FAIL_COPY,
		};

		self->late = late;
		ASSERT_EQ(0, want_all(self));
		ASSERT_EQ(0, inject_sweep(&sweep));
		/* The structure, events, the counts. */
		EXPECT_LE(late ? 3 : 2 + PAGES, sweep.failed[INJECT_COPY]);
		/* What the last check has prepared is done. */
		ASSERT_EQ(0, answer_all(self));
	}
}

static long export_all(void *arg)
{
	struct kmdom_op ops[PAGES];
	SELF *self = arg;
	int i, ret;

	for (i = 0; i < PAGES; i++)
		ops[i] = (struct kmdom_op) {
			.code = KMDOM_OP_EXPORT, .index = index_of(self, i),
			.buf = (unsigned long)self->pager->buf + i * KMDOM_RECORD_MAX,
			.len = KMDOM_RECORD_MAX,
		};
	ret = pager_exchange(self->pager, ops, self->results, PAGES);
	self->nr_results = self->pager->ex.nr_results;
	return ret;
}

/*
 * Clean are the pages whose result says so; of those without, the first may be;
 * or all, if it was the counts that were lost.
 */
static int check_delivery(SELF *self, const bool *clean)
{
	int nr = self->nr_results, i;
	bool lost = !nr && clean[PAGES - 1];

	for (i = 0; i < PAGES; i++)
		if (lost ? !clean[i] :
		    i < nr ? clean[i] != !self->results[i].ret : i > nr && clean[i])
			return -EILSEQ;
	return 0;
}

static int check_export_all(void *arg, long ret)
{
	struct kmdom_record_info info;
	struct kmdom_page state;
	SELF *self = arg;
	bool clean[PAGES];
	int i, err = 0;

	for (i = 0; i < PAGES && !err; i++) {
		err = pager_look(self->pager, index_of(self, i), &state);
		clean[i] = !(state.flags & KMDOM_PAGEF_DIRTY);
	}
	err = err ?: check_delivery(self, clean);
	for (i = 0; i < PAGES && !err; i++) {
		if (!clean[i])
			continue;
		err = keep_record(self, self->pager->buf + i * KMDOM_RECORD_MAX, &info) ?:
			pager_evict(self->pager, index_of(self, i), info.version, 0);
	}
	for (i = 0; i < PAGES && !err; i++)
		err = clean[i] ? 0 : pager_preempt(self->pager, index_of(self, i));
	return err ?: restore_all(self) ?: check_contents(self) ?: sound(self) ?: fill(self);
}

TEST_F(exchange, many_operations)
{
	struct inject_sweep sweep = {
		.name = "EXPORT of all in one", .run = export_all, .check = check_export_all,
		.arg = self, .errors = ERRORS(EFAULT), .must = FAIL_COPY,
		.partial = true,
	};

	EXPECT_EQ(0, inject_sweep(&sweep));
	/* The structure, operations, a record and a result for each, the counts. */
	EXPECT_EQ(3 + 2 * PAGES, sweep.failed[INJECT_COPY]);
	if (variant->door == DOOR_URING)
		EXPECT_EQ(0, inject_sweep_kind(&sweep, INJECT_COPY));
}

static int check_sound(void *arg, long ret)
{
	return sound(arg);
}

static long wake(void *arg)
{
	struct kmdom_exchange ex = { .flags = KMDOM_EXCHANGE_WAKE };
	SELF *self = arg;

	return pager_pass(self->pager, &ex);
}

TEST_F(exchange, wake)
{
	struct inject_sweep sweep = {
		.name = "WAKE", .run = wake, .check = check_sound, .arg = self,
		.errors = ERRORS(EFAULT), .must = FAIL_COPY,
	};

	EXPECT_EQ(0, inject_sweep(&sweep));
	/* The structure, the counts. */
	EXPECT_EQ(2, sweep.failed[INJECT_COPY]);
}

static long poll_it(void *arg)
{
	SELF *self = arg;
	struct pollfd pfd = { .fd = self->pager->fd, .events = POLLIN };

	return poll(&pfd, 1, 0) < 0 ? -errno : 0;
}

TEST_F(exchange, poll)
{
	struct inject_sweep sweep = {
		.name = "poll", .run = poll_it, .check = check_sound, .arg = self,
	};

	EXPECT_EQ(0, inject_sweep(&sweep));
}

/**
 * struct successor - a session whose pool is not backed whole
 * @pager: the session
 * @client: of its domain
 * @name: of its domain
 * @next: the first frame that has no memory
 * @backed: frames of the domain that have
 */
struct successor {
	struct pager pager;
	int client;
	char name[KMDOM_NAME_MAX];
	uint32_t next;
	uint64_t backed;
};

#define USED	40	/* pages that an earlier session leaves in its frames */

static long backed(struct successor *next)
{
	struct kmdom_info info;
	int ret = kmdom_info_find(next->name, &info);

	return ret ? ret : (long)info.frames_pool;
}

/* Pages in use leave the successor fewer frames than its pool has; then they go. */
static int succeed(struct successor *next, enum door_kind door)
{
	long long end = now_ms() + PROC_PATIENCE;
	uint64_t refs[USED];
	int i, ret;

	bed_name(next->name, sizeof(next->name));
	next->client = client_open();
	ret = pager_open(&next->pager, NULL) ?:
		pager_create(&next->pager, next->name, KMDOM_FRAMES_MIN, 300) ?:
		client_find(next->client, next->name) ?:
		client_attach(next->client, KT_PAGE) ?:
		pager_adopt(&next->pager, next->name, door, KMDOM_FRAMES_MIN, 0);
	if (ret || pager_grant(&next->pager, 0, KMDOM_FRAMES_MIN) != KMDOM_FRAMES_MIN)
		return ret ?: -EDQUOT;
	for (i = 0; i < USED && !ret; i++)
		ret = kt_new(next->client, 0, KT_PAGE, NULL, 0, &refs[i]);
	pager_leave(&next->pager);
	ret = ret ?: pager_adopt(&next->pager, next->name, door, KMDOM_FRAMES_MIN,
				 KMDOM_ADOPT_TAKEOVER);
	for (i = 0; i < USED && !ret; i++)
		ret = kt_del(next->client, 0, KT_PAGE, refs[i]);
	/* Frames leave after a grace period. */
	while (!ret && backed(next) > KMDOM_FRAMES_MIN - USED / 2 && now_ms() < end)
		poll(NULL, 0, 5);
	next->backed = backed(next);
	return ret;
}

static long grant_bare(void *arg)
{
	struct successor *next = arg;

	return pager_grant(&next->pager, next->next, 1);
}

/* In the end that frame has memory, and no other. */
static int check_bare(void *arg, long ret)
{
	struct successor *next = arg;
	int64_t err = ret < 0 ? grant_bare(next) : ret;

	if (err != 1 && err != -EBUSY)
		return err ?: -ENOBUFS;
	next->next++;
	next->backed++;
	return backed(next) == (long)next->backed ? 0 : -EILSEQ;
}

/* Memory for frames is the one thing that an exchange allocates. */
TEST_F(exchange, grant_of_frames_without_memory)
{
	struct inject_sweep sweep = {
		.name = "GRANT of frames without memory", .run = grant_bare,
		.check = check_bare, .errors = ERRORS(ENOMEM, EFAULT), .must = FAIL_COPY,
	};
	struct successor next = { 0 };

	ASSERT_EQ(0, succeed(&next, variant->door));
	ASSERT_GE(KMDOM_FRAMES_MIN - USED / 2, next.backed);
	/* Those that have memory come first, but for tables of the old pool. */
	next.next = KMDOM_FRAMES_MIN - USED / 2;
	sweep.arg = &next;
	if (variant->door == DOOR_IOCTL)
		sweep.must |= FAIL_PAGE;
	EXPECT_EQ(0, inject_sweep(&sweep));
	if (variant->door == DOOR_URING) {
		EXPECT_EQ(0, inject_sweep_kind(&sweep, INJECT_COPY));
		sweep.must = FAIL_PAGE;
		EXPECT_EQ(0, inject_sweep_kind(&sweep, INJECT_PAGE));
	}
	EXPECT_EQ(0, sound(self));
	pager_leave(&next.pager);
	EXPECT_EQ(0, domain_conserved(next.name));
	close(next.client);
	EXPECT_EQ(0, pager_destroy(&next.pager, next.name));
	pager_close(&next.pager);
}

int main(int argc, char **argv)
{
	return inject_main(argc, argv, test_harness_run);
}
