// SPDX-License-Identifier: GPL-2.0
/*
 * What explains a loss, and what does not: of a log of chaos and a trace that are
 * written here.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include "../stress.h"

#define DOMAIN	7

FIXTURE(losses) {
	struct losses *losses;
	char trace[64];
};

FIXTURE_SETUP(losses)
{
	struct losses *losses = calloc(1, sizeof(*losses));

	ASSERT_NE(NULL, losses);
	snprintf(losses->log, sizeof(losses->log), "/tmp/losses-%d.chaos", getpid());
	snprintf(self->trace, sizeof(self->trace), "/tmp/losses-%d.trace", getpid());
	losses->trace = self->trace;
	losses->domain = DOMAIN;
	self->losses = losses;
}

FIXTURE_TEARDOWN(losses)
{
	unlink(self->losses->log);
	unlink(self->trace);
	free(self->losses);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(path);
	if (fd >= 0)
		close(fd);
}

/* The last line of a trace that has others, of other pages and of other domains. */
static void put_trace(const char *path, unsigned int index, unsigned int level,
		      unsigned int version)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "# tracer: nop\n"
		 " kmdomd-9 [0] ..... 1.1: kmdom_refuse: domain=%d index=%u level=0 version=1 ret=0\n"
		 " kmdomd-9 [0] ..... 1.2: kmdom_refuse: domain=%d index=%u level=%u version=%u ret=0\n"
		 " kmdomd-9 [0] ..... 1.3: kmdom_refuse: domain=%d index=%u level=0 version=99 ret=0\n"
		 " kmdomd-9 [0] ..... 1.4: kmdom_refuse: domain=%d index=%u level=0 version=99 ret=0\n",
		 DOMAIN, index, DOMAIN, index, level, version, DOMAIN + 1, index, DOMAIN,
		 index + 1);
	put(path, text);
}

TEST_F(losses, a_record_that_was_dropped_or_spoilt)
{
	put(self->losses->log, "drop 0 5 3\nrot 0 6 4\n");
	put_trace(self->trace, 5, 0, 3);
	EXPECT_TRUE(loss_explained(self->losses, 5));
	put_trace(self->trace, 6, 0, 4);
	EXPECT_TRUE(loss_explained(self->losses, 6));
}

TEST_F(losses, another_fault)
{
	put(self->losses->log, "fail 0 5 3\ncorrupt 0 5 3\nforge 0 5 3\n");
	put_trace(self->trace, 5, 0, 3);
	EXPECT_FALSE(loss_explained(self->losses, 5));
}

TEST_F(losses, another_page_level_or_version)
{
	put(self->losses->log, "drop 0 6 3\ndrop 1 5 3\ndrop 0 5 2\ndrop 0 5 4\n");
	put_trace(self->trace, 5, 0, 3);
	EXPECT_FALSE(loss_explained(self->losses, 5));
}

TEST_F(losses, the_version_is_that_of_the_page_itself)
{
	put(self->losses->log, "drop 0 5 3\n");
	put_trace(self->trace, 5, 1, 3);
	EXPECT_FALSE(loss_explained(self->losses, 5));
}

TEST_F(losses, nothing_was_refused)
{
	put(self->losses->log, "drop 0 5 3\n");
	put(self->trace, "# tracer: nop\n");
	EXPECT_FALSE(loss_explained(self->losses, 5));
}

TEST_F(losses, it_explains_one_loss_only)
{
	put(self->losses->log, "drop 0 5 3\nrot 0 5 3\n");
	put_trace(self->trace, 5, 0, 3);
	EXPECT_TRUE(loss_explained(self->losses, 5));
	EXPECT_FALSE(loss_explained(self->losses, 5));
}

TEST_HARNESS_MAIN
