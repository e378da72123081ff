// SPDX-License-Identifier: GPL-2.0
/*
 * table_test.c - the page table: against an xarray, at its boundaries, and
 * without the frames that it needs
 */
#include <linux/mm.h>
#include <linux/xarray.h>
#include "bed.h"

/* Enough for all tables of a test, those that wait for a grace period too. */
#define FRAMES	256

/* A page at the table's end, and one that shares its 1 to 4 uppermost tables. */
#define LAST	KMDOM_INDEX_MAX

static u64 sharing(unsigned int nr_tables)
{
	return LAST ^ BIT_ULL(KMDOM_TABLE_BITS * (KMDOM_LEVELS - nr_tables));
}

/**
 * struct tree - a page table, and what must be in it
 * @bed: its domain
 * @pool: its frames
 * @entries: of the pages that are not empty: versions, as values
 */
struct tree {
	struct bed *bed;
	struct kmdom_pool *pool;
	struct xarray entries;
};

static void tree_init(struct tree *tree)
{
	struct kmdom_domain *dom = &tree->bed->dom;

	memset(&dom->table, 0, sizeof(dom->table));
	kmdom_table_init(&dom->table, &dom->ledger);
	/* In no table that a page can be in, so that all are pruned. */
	atomic64_set(&dom->table.cursor, KMDOM_INDEX_MAX + 1);
}

static void tree_begin(struct tree *tree, struct kunit *test)
{
	tree->bed = bed_new(test, FRAMES);
	tree->pool = bed_granted(tree->bed, FRAMES);
	xa_init(&tree->entries);
	tree_init(tree);
}

/* As the end of a domain does it: cut, then take the frames. */
static void tree_clear(struct tree *tree)
{
	u32 i;

	kmdom_table_cut(&tree->bed->dom.table);
	bed_settle(tree->bed);
	for (i = 0; i < FRAMES; i++) {
		struct kmdom_frame *frame = &tree->pool->frames[i];

		if (frame->state == KMDOM_FRAME_TABLE) {
			atomic64_set(&frame->pins, KMDOM_PIN_FROZEN);
			kmdom_frame_withdraw(frame);
			kmdom_frame_put(frame);
		}
	}
	xa_destroy(&tree->entries);
	bed_check_ledger(tree->bed);
}

static void tree_end(struct tree *tree)
{
	tree_clear(tree);
	bed_pool_drop(tree->pool);
	bed_end(tree->bed);
}

static u64 tree_read(struct tree *tree, u64 index)
{
	u64 entry;

	rcu_read_lock();
	entry = kmdom_table_read(&tree->bed->dom.table, index);
	rcu_read_unlock();
	return entry;
}

/* Is there a table with the page's entry? */
static bool tree_has(struct tree *tree, u64 index)
{
	struct kmdom_frame *leaf = kmdom_table_lock(&tree->bed->dom.table, index, 0);

	if (leaf)
		kmdom_table_unlock(leaf);
	return leaf;
}

static int tree_grow(struct tree *tree, u64 index)
{
	unsigned int promised = 0;

	return kmdom_table_grow(&tree->bed->dom.table, index, &promised);
}

/* Along legal edges, to an entry that nobody follows. */
static void tree_set(struct tree *tree, u64 index, u64 version)
{
	struct kmdom_frame *leaf = kmdom_table_lock(&tree->bed->dom.table, index, 0);

	EXPECT(leaf);
	if (!leaf)
		return;
	kmdom_table_set(leaf, index, kmdom_entry_make(KMDOM_PAGE_PRESENT, 1, 1));
	kmdom_table_set(leaf, index,
			kmdom_entry_make(KMDOM_PAGE_ABSENT, 1, version));
	kmdom_table_unlock(leaf);
	xa_store(&tree->entries, index, xa_mk_value(version), GFP_KERNEL);
}

static void tree_insert(struct tree *tree, u64 index, u64 version)
{
	int ret = tree_grow(tree, index);

	if (ret == -ENOBUFS) {
		/* All that lack are in their grace period. */
		bed_settle(tree->bed);
		ret = tree_grow(tree, index);
	}
	EXPECT_EQ(ret, 0);
	tree_set(tree, index, version);
}

static void tree_prune(struct tree *tree, u64 index)
{
	u64 versions[KMDOM_LEVELS];
	unsigned int level;

	kmdom_table_prune(&tree->bed->dom.table, index, versions);
	/* None of them ever had a record. */
	for (level = 0; level < KMDOM_LEVELS; level++)
		EXPECT_EQ(versions[level], 0);
}

static void tree_erase(struct tree *tree, u64 index)
{
	struct kmdom_frame *leaf = kmdom_table_lock(&tree->bed->dom.table, index, 0);

	EXPECT(leaf);
	if (leaf) {
		kmdom_table_set(leaf, index, KMDOM_ENTRY_EMPTY);
		kmdom_table_unlock(leaf);
	}
	tree_prune(tree, index);
	xa_erase(&tree->entries, index);
}

static void tree_check(struct tree *tree, u64 index)
{
	void *wanted = xa_load(&tree->entries, index);

	EXPECT_EQ(tree_read(tree, index), !wanted ? KMDOM_ENTRY_EMPTY :
		  kmdom_entry_make(KMDOM_PAGE_ABSENT, 1, xa_to_value(wanted)));
}

/* Tables over the pages that there are; the topmost stays once it was made. */
static u64 tree_tables(struct tree *tree)
{
	unsigned long index, before = 0;
	unsigned int level;
	bool first = true;
	void *entry;
	u64 nr = 0;

	xa_for_each(&tree->entries, index, entry) {
		for (level = 1; level <= KMDOM_LEVELS; level++)
			nr += first || kmdom_table_index(index, level) !=
				       kmdom_table_index(before, level);
		first = false;
		before = index;
	}
	return nr ?: 1;
}

/* Everything is there, in no more tables than it takes. */
static void tree_check_all(struct tree *tree)
{
	unsigned long index;
	void *entry;

	xa_for_each(&tree->entries, index, entry) {
		tree_check(tree, index);
		/* Neighbours, some of them across the border of a table. */
		tree_check(tree, index - !!index);
		tree_check(tree, min_t(u64, index + 1, KMDOM_INDEX_MAX));
	}
	EXPECT_EQ(tree->bed->dom.ledger.nr_tables, tree_tables(tree));
}

/* All slots that are first, second or last of their tables, at once. */
static void test_places(struct kunit *test)
{
	static const u64 slots[] = { 0, 1, 511 };
	unsigned int i, rest, level, nr;
	struct tree tree;

	tree_begin(&tree, test);
	for (i = 0; i < 81; i++) {
		u64 index = 0;

		for (level = 0, rest = i; level < KMDOM_LEVELS; level++, rest /= 3)
			index = index << KMDOM_TABLE_BITS | slots[rest % 3];
		tree_insert(&tree, index, i + 1);
	}
	tree_check_all(&tree);
	EXPECT_EQ(tree.bed->dom.ledger.nr_tables, 1 + 3 + 9 + 27);
	/* Numbers that no page has been given. */
	for (nr = 0; nr < 1000; nr++)
		tree_check(&tree, unit_random() & KMDOM_INDEX_MAX);
	EXPECT_CASES(i + nr, 3 * 3 * 3 * 3 + 1000);
	tree_end(&tree);
}

/* One table from its first entry to its last and back. */
static void test_one_table(struct kunit *test)
{
	struct kmdom_ledger *ledger;
	unsigned int i, cases = 0;
	struct kmdom_frame *leaf;
	struct tree tree;

	tree_begin(&tree, test);
	ledger = &tree.bed->dom.ledger;
	for (i = 0; i < KMDOM_TABLE_ENTRIES; i++, cases++) {
		tree_insert(&tree, i, i + 1);
		leaf = kmdom_table_lock(&tree.bed->dom.table, 0, 0);
		kmdom_table_unlock(leaf);
		EXPECT_EQ(leaf->nr_used, i + 1);
	}
	tree_check_all(&tree);
	for (i = 0; i < KMDOM_TABLE_ENTRIES; i++, cases++) {
		EXPECT_EQ(ledger->nr_tables, KMDOM_LEVELS);
		tree_erase(&tree, i);
	}
	EXPECT_EQ(ledger->nr_tables, 1);
	EXPECT(!tree_has(&tree, 0));
	EXPECT_CASES(cases, 2 * 512);
	tree_end(&tree);
}

/* Pages that share all, three, two, one of their tables with the first: in every order. */
static void test_orders(struct kunit *test)
{
	static const u64 indexes[] = { 1, 2, 512, BIT_ULL(18), KMDOM_INDEX_MAX };
	u64 order[ARRAY_SIZE(indexes)];
	unsigned int number, i, steps = 0;
	struct tree tree;

	tree_begin(&tree, test);
	for (number = 0; number < 120; number++) {
		bed_permute(indexes, order, ARRAY_SIZE(order), number);
		for (i = 0; i < ARRAY_SIZE(order); i++, steps++) {
			tree_insert(&tree, order[i], number + 1);
			tree_check_all(&tree);
		}
		/* Half of them leave in the order in which they came. */
		for (i = 0; i < ARRAY_SIZE(order); i++, steps++) {
			tree_erase(&tree, order[number & 1 ? i :
						ARRAY_SIZE(order) - 1 - i]);
			tree_check_all(&tree);
		}
	}
	EXPECT_CASES(steps, 1 * 2 * 3 * 4 * 5 * 10);
	tree_end(&tree);
}

/* Clusters at the borders of tables of every level. */
static u64 random_index(void)
{
	u64 border = (u64)unit_random_below(6) <<
		     (KMDOM_TABLE_BITS * unit_random_below(KMDOM_LEVELS));

	if (!unit_random_below(8))
		border = KMDOM_INDEX_MAX;
	return min_t(u64, border + unit_random_below(4), KMDOM_INDEX_MAX);
}

static void test_random(struct kunit *test)
{
	unsigned int i, inserts = 0, erases = 0, others = 0;
	struct tree tree;

	tree_begin(&tree, test);
	for (i = 0; i < UNIT_RANDOM_CASES(40000); i++) {
		u64 index = random_index();
		bool there = xa_load(&tree.entries, index);

		if (!there && !unit_random_below(2)) {
			tree_insert(&tree, index, 1 + i);
			inserts++;
		} else if (there && !unit_random_below(2)) {
			tree_erase(&tree, index);
			erases++;
		} else {
			others++;
		}
		tree_check(&tree, index);
		if (inserts && i % 64 == 0)
			tree_check_all(&tree);
	}
	EXPECT(inserts && erases && others);
	EXPECT_CASES(inserts + erases + others, 2000);
	tree_end(&tree);
}

/*
 * For lack of frames a growth ends at each of its steps: no entry has changed, no
 * frame is lost, and what was made serves the next one.
 */
static void grow_without_frames(struct tree *tree, unsigned int shared,
				unsigned int nr_free)
{
	struct kmdom_ledger *ledger = &tree->bed->dom.ledger;
	unsigned int lack = KMDOM_LEVELS - shared;
	u64 before;

	tree_init(tree);
	if (shared)
		tree_insert(tree, sharing(shared), 7);
	before = ledger->nr_tables;
	bed_leave_free(tree->bed, nr_free);
	EXPECT_EQ(tree_grow(tree, LAST), nr_free < lack ? -ENOBUFS : 0);
	EXPECT_EQ(ledger->nr_tables, before + min(nr_free, lack));
	EXPECT_EQ(ledger->nr_used, ledger->nr_tables);
	bed_check_ledger(tree->bed);
	tree_check(tree, LAST);
	tree_check(tree, sharing(1));
	if (shared)
		tree_check(tree, sharing(shared));

	bed_leave_free(tree->bed, FRAMES / 2);
	tree_insert(tree, LAST, 8);
	tree_check_all(tree);
	tree_clear(tree);
}

static void test_grow_without_frames(struct kunit *test)
{
	unsigned int shared, nr_free, cases = 0;
	struct tree tree;

	tree_begin(&tree, test);
	for (shared = 0; shared <= KMDOM_LEVELS; shared++) {
		for (nr_free = 0; nr_free <= KMDOM_LEVELS - shared + 1; nr_free++) {
			grow_without_frames(&tree, shared, nr_free);
			cases++;
		}
	}
	EXPECT_CASES(cases, 6 + 5 + 4 + 3 + 2);
	tree_end(&tree);
}

/* Promised frames go first, and only as many promises as it takes. */
static void grow_with_promises(struct tree *tree, unsigned int shared,
			       unsigned int promised)
{
	struct kmdom_ledger *ledger = &tree->bed->dom.ledger;
	unsigned int lack = KMDOM_LEVELS - shared;
	unsigned int left = promised;
	u64 nr_free;

	tree_init(tree);
	if (shared)
		tree_insert(tree, sharing(shared), 7);
	nr_free = ledger->nr_free;
	bed_promise(tree->bed, promised);
	EXPECT_EQ(kmdom_table_grow(&tree->bed->dom.table, LAST, &left), 0);
	EXPECT_EQ(left, promised - min(promised, lack));
	EXPECT_EQ(ledger->reserved, left);
	EXPECT_EQ(ledger->nr_free, nr_free - lack);
	kmdom_frames_unreserve(ledger, left);
	tree_clear(tree);
}

static void test_grow_with_promises(struct kunit *test)
{
	unsigned int shared, promised, cases = 0;
	struct tree tree;

	tree_begin(&tree, test);
	for (shared = 0; shared <= KMDOM_LEVELS; shared++) {
		for (promised = 0; promised <= KMDOM_TABLES_EXTRA; promised++) {
			grow_with_promises(&tree, shared, promised);
			cases++;
		}
	}
	EXPECT_CASES(cases, 5 * 8);
	tree_end(&tree);
}

/* The tables that the cursor is in stay, and the topmost. */
static void test_cursor(struct kunit *test)
{
	unsigned int shared;
	struct tree tree;

	tree_begin(&tree, test);
	for (shared = 1; shared <= KMDOM_LEVELS; shared++) {
		tree_init(&tree);
		atomic64_set(&tree.bed->dom.table.cursor, sharing(shared));
		tree_insert(&tree, LAST, 9);
		tree_erase(&tree, LAST);
		EXPECT_EQ(tree.bed->dom.ledger.nr_tables, shared);
		tree_check(&tree, LAST);
		tree_insert(&tree, LAST, 10);
		EXPECT_EQ(tree.bed->dom.ledger.nr_tables, KMDOM_LEVELS);
		tree_check(&tree, LAST);
		tree_clear(&tree);
	}
	EXPECT_CASES(shared - 1, 4);
	tree_end(&tree);
}

/* Every pair of states: what is illegal is noticed, and entries are counted. */
static void check_edge(struct tree *tree, u64 from, u64 to)
{
	struct kmdom_frame *leaf = kmdom_table_lock(&tree->bed->dom.table, LAST, 0);
	u64 *slot = (u64 *)kmdom_frame_data(leaf) + KMDOM_TABLE_ENTRIES - 1;
	u64 now;

	*slot = from;
	leaf->nr_used = !!from;
	kmdom_table_set(leaf, LAST, to);
	now = kmdom_table_entry(leaf, LAST);
	kmdom_table_unlock(leaf);
	EXPECT_EQ(now, to);
	EXPECT_EQ(leaf->nr_used, !!to);
	EXPECT_EQ(bed_warnings(),
		  !kmdom_entry_edge_legal(kmdom_entry_state(from),
					  kmdom_entry_state(to)));
}

static void test_edges(struct kunit *test)
{
	unsigned int from, to, cases = 0;
	struct tree tree;

	tree_begin(&tree, test);
	EXPECT_EQ(tree_grow(&tree, LAST), 0);
	for (from = 0; from < KMDOM_NR_PAGE_STATES; from++) {
		for (to = 0; to < KMDOM_NR_PAGE_STATES; to++, cases++) {
			u64 before = kmdom_entry_make(from, 1, 2);
			u64 after = kmdom_entry_make(to, 3, 4);

			check_edge(&tree, from ? before : KMDOM_ENTRY_EMPTY,
				   to ? after : KMDOM_ENTRY_EMPTY);
		}
	}
	EXPECT_CASES(cases, 4 * 4);
	tree_end(&tree);
}

/* A table that is cut off is dead to those who have found it already. */
static void test_dead(struct kunit *test)
{
	struct kmdom_table *table;
	struct kmdom_frame *leaf;
	struct tree tree;

	tree_begin(&tree, test);
	table = &tree.bed->dom.table;
	EXPECT(!tree_has(&tree, LAST));
	tree_insert(&tree, LAST, 1);
	rcu_read_lock();
	leaf = kmdom_table_find(table, LAST, 1);
	EXPECT(leaf && !leaf->dead);
	EXPECT_EQ(leaf->index, LAST >> KMDOM_TABLE_BITS);
	leaf = kmdom_table_lock(table, LAST, 0);
	kmdom_table_set(leaf, LAST, KMDOM_ENTRY_EMPTY);
	kmdom_table_unlock(leaf);
	tree_prune(&tree, LAST);
	EXPECT(leaf->dead);
	EXPECT_EQ(leaf->state, KMDOM_FRAME_TRANSIT);
	EXPECT(!kmdom_table_find(table, LAST, 1));
	EXPECT(!tree_has(&tree, LAST));
	rcu_read_unlock();
	xa_erase(&tree.entries, LAST);
	tree_end(&tree);
}

/* What was cut is lost for ever, and nothing grows in it. */
static void test_cut(struct kunit *test)
{
	struct tree tree;

	tree_begin(&tree, test);
	tree_insert(&tree, 1, 1);
	tree_insert(&tree, LAST, 2);
	tree.bed->dom.state = KMDOM_DOMAIN_ABORTED;
	kmdom_table_cut(&tree.bed->dom.table);
	EXPECT_EQ(kmdom_entry_state(tree_read(&tree, 1)), KMDOM_PAGE_LOST);
	EXPECT_EQ(kmdom_entry_state(tree_read(&tree, LAST)), KMDOM_PAGE_LOST);
	EXPECT(!tree_has(&tree, 1));
	EXPECT_EQ(tree_grow(&tree, 1), -ENODEV);
	EXPECT_EQ(tree.bed->dom.ledger.nr_tables, 4 + 3);
	tree_end(&tree);
}

/* A table of a level leaves, as an eviction has it; or is needed. */
static int tree_leave(struct tree *tree, u64 index, unsigned int level, u64 version)
{
	struct kmdom_table *table = &tree->bed->dom.table;
	struct kmdom_frame *parent, *frame;
	int ret;

	parent = kmdom_table_lock(table, index, level);
	EXPECT(parent);
	if (!parent)
		return -ENOENT;
	frame = kmdom_entry_frame(kmdom_table_entry(parent, index));
	spin_lock_nested(&frame->lock, level);
	EXPECT_EQ(kmdom_frame_try_freeze(frame, KMDOM_PIN_FREEZE_ALL), 0);
	ret = kmdom_table_leave(table, parent, frame,
				kmdom_entry_make(KMDOM_PAGE_ABSENT, 0, version));
	EXPECT_EQ(frame->dead, !ret);
	spin_unlock(&frame->lock);
	kmdom_table_unlock(parent);
	if (ret) {
		kmdom_frame_thaw(frame, KMDOM_PIN_FREEZE_ALL);
	} else {
		kmdom_frame_withdraw(frame);
		kmdom_frame_put_deferred(frame, false);
	}
	return ret;
}

/* An absent table is lost. */
static void tree_lose(struct tree *tree, u64 index, unsigned int level)
{
	struct kmdom_frame *parent = kmdom_table_lock(&tree->bed->dom.table, index, level);

	EXPECT(parent);
	if (!parent)
		return;
	kmdom_table_set(parent, index, kmdom_entry_make(KMDOM_PAGE_LOST, 0, EIO));
	kmdom_table_unlock(parent);
}

/* What a walk comes to: the entry's state, and the level where it stopped. */
static void check_walk(struct tree *tree, u64 index, enum kmdom_page_state state,
		       unsigned int level)
{
	unsigned int stopped;
	u64 entry;

	rcu_read_lock();
	entry = kmdom_table_walk(&tree->bed->dom.table, index, 0, &stopped);
	rcu_read_unlock();
	EXPECT_EQ(kmdom_entry_state(entry), state);
	EXPECT_EQ(stopped, level);
}

/* Tables leave from the lowest level to the root; what was under them is absent. */
static void test_leave(struct kunit *test)
{
	struct kmdom_table *table;
	unsigned int level;
	struct tree tree;

	tree_begin(&tree, test);
	table = &tree.bed->dom.table;
	atomic64_set(&table->cursor, LAST);
	tree_insert(&tree, 5, 1);
	tree_insert(&tree, 600, 2);
	EXPECT_EQ(tree_leave(&tree, 5, 1, 3), 0);
	check_walk(&tree, 5, KMDOM_PAGE_ABSENT, 1);
	check_walk(&tree, 600, KMDOM_PAGE_ABSENT, 0);
	check_walk(&tree, 1024, KMDOM_PAGE_EMPTY, 1);
	EXPECT(!tree_has(&tree, 5));
	EXPECT(tree_has(&tree, 600));
	EXPECT_EQ(tree_grow(&tree, 6), -EAGAIN);
	EXPECT_EQ(tree_grow(&tree, 601), 0);
	EXPECT_EQ(tree_leave(&tree, 600, 1, 4), 0);
	for (level = 2; level <= KMDOM_LEVELS; level++) {
		EXPECT_EQ(tree_leave(&tree, 5, level, 10 + level), 0);
		check_walk(&tree, 5, KMDOM_PAGE_ABSENT, level);
		check_walk(&tree, LAST, level < KMDOM_LEVELS ? KMDOM_PAGE_EMPTY :
			   KMDOM_PAGE_ABSENT, level < KMDOM_LEVELS ? 3 : 4);
	}
	bed_settle(tree.bed);
	EXPECT_EQ(tree.bed->dom.ledger.nr_tables, 0);
	EXPECT_EQ(tree.bed->dom.ledger.nr_used, 0);
	EXPECT_EQ(bed_warnings(), 0);
	xa_destroy(&tree.entries);
	tree_end(&tree);
}

/* Those at the cursor stay as long as anybody may need them, and not longer. */
static void test_hold(struct kunit *test)
{
	struct kmdom_table *table;
	struct tree tree;
	unsigned int level;
	u64 cursor;

	tree_begin(&tree, test);
	table = &tree.bed->dom.table;
	tree_insert(&tree, 5, 1);
	tree_insert(&tree, 600, 2);
	atomic64_set(&table->cursor, 601);
	EXPECT_EQ(kmdom_table_ready(table, &cursor, &level), 0);
	bed_promise(tree.bed, 1);
	bed_promise(tree.bed, 1);
	EXPECT_EQ(tree_leave(&tree, 600, 1, 3), -EBUSY);
	EXPECT_EQ(tree_leave(&tree, 5, 1, 3), 0);
	kmdom_frames_unreserve(&tree.bed->dom.ledger, 1);
	EXPECT_EQ(tree_leave(&tree, 600, 1, 3), -EBUSY);
	kmdom_frames_unreserve(&tree.bed->dom.ledger, 1);
	EXPECT_EQ(tree_leave(&tree, 600, 1, 3), 0);
	EXPECT_EQ(kmdom_table_ready(table, &cursor, &level), -EAGAIN);
	EXPECT_EQ(level, 1);
	EXPECT_EQ(cursor, 601);
	/* Lost for ever: the cursor passes what that table covered. */
	tree_lose(&tree, 600, 1);
	EXPECT_EQ(kmdom_table_ready(table, &cursor, &level), 0);
	EXPECT_EQ(cursor, 1024);
	EXPECT_EQ(atomic64_read(&table->cursor), 1024);
	EXPECT_EQ(tree_grow(&tree, 1024), 0);
	EXPECT_EQ(tree_grow(&tree, 600), -EAGAIN);
	xa_destroy(&tree.entries);
	tree_end(&tree);
}

static struct kunit_case table_cases[] = {
	KUNIT_CASE(test_places),
	KUNIT_CASE(test_one_table),
	KUNIT_CASE_SLOW(test_orders),
	KUNIT_CASE_SLOW(test_random),
	KUNIT_CASE(test_grow_without_frames),
	KUNIT_CASE(test_grow_with_promises),
	KUNIT_CASE(test_cursor),
	KUNIT_CASE(test_edges),
	KUNIT_CASE(test_dead),
	KUNIT_CASE(test_leave),
	KUNIT_CASE(test_hold),
	KUNIT_CASE(test_cut),
	{}
};

struct kunit_suite table_suite = {
	.name = "kmdom_table",
	.test_cases = table_cases,
};
