/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What cppcheck has to know of macros that begin a statement or a function. It
 * does not read the headers that they come from: with these it takes a minute
 * longer, and more often gives a file up.
 */

/* The kernel's loops. */
#define list_for_each_entry(pos, head, member) \
	for (pos = first_of(head); pos; pos = next_of(pos))
#define list_for_each_entry_continue(pos, head, member) \
	for (pos = next_of(pos); pos; pos = next_of(pos))
#define list_for_each_entry_safe(pos, next, head, member) \
	for (pos = first_of(head), next = next_of(pos); pos; \
	     pos = next, next = next_of(next))
#define for_each_set_bit(bit, map, size) \
	for (bit = find_bit(map, size); bit < (size); bit = find_bit(map, size))
#define for_each_possible_cpu(cpu) for (cpu = first_cpu(); cpu < nr_cpus(); cpu = next_cpu(cpu))
#define xa_for_each(xa, index, entry) \
	for (index = 0, entry = first_of(xa); entry; entry = next_of(&index))

/*
 * The kernel's test harness. The statement that may follow an assertion is
 * outside of a loop without braces that the assertion is in, here as there.
 */
#define FIXTURE(name) struct fixture_##name
#define FIXTURE_SETUP(name) \
	static void name##_setup(struct metadata *_metadata, struct fixture_##name *self, \
				 const struct variant_##name *variant)
#define FIXTURE_TEARDOWN(name) \
	static void name##_teardown(struct metadata *_metadata, struct fixture_##name *self, \
				    const struct variant_##name *variant)
#define FIXTURE_VARIANT(name) struct variant_##name
#define FIXTURE_VARIANT_ADD(name, which) static struct variant_##name name##_##which =
#define TEST(name) static void test_##name(struct metadata *_metadata)
#define TEST_F(fixture, name) \
	static void fixture##_##name(struct metadata *_metadata, struct fixture_##fixture *self, \
				     const struct variant_##fixture *variant)
#define TEST_HARNESS_MAIN
#define CHECKED(a, b) do { seen(a); seen(b); } while (0); for (; failed(); end())
#define EXPECT_EQ(a, b) CHECKED(a, b)
#define EXPECT_NE(a, b) CHECKED(a, b)
#define EXPECT_LT(a, b) CHECKED(a, b)
#define EXPECT_LE(a, b) CHECKED(a, b)
#define EXPECT_GT(a, b) CHECKED(a, b)
#define EXPECT_GE(a, b) CHECKED(a, b)
#define EXPECT_STREQ(a, b) CHECKED(a, b)
#define EXPECT_TRUE(a) CHECKED(a, 1)
#define EXPECT_FALSE(a) CHECKED(a, 0)
#define ASSERT_EQ(a, b) CHECKED(a, b)
#define ASSERT_NE(a, b) CHECKED(a, b)
#define ASSERT_LT(a, b) CHECKED(a, b)
#define ASSERT_LE(a, b) CHECKED(a, b)
#define ASSERT_GT(a, b) CHECKED(a, b)
#define ASSERT_GE(a, b) CHECKED(a, b)
#define ASSERT_TRUE(a) CHECKED(a, 1)
#define ASSERT_FALSE(a) CHECKED(a, 0)
