// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family, by messages that libkmdom does not send: get by number, by
 * number and name at once, by neither; and a dump that no one message holds.
 */
#include <grp.h>
#include <linux/kmdom_netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <sys/ioctl.h>
#include "harness.h"

#define MANY	150

FIXTURE(netlink) {
	struct pager pager;
	struct nl_sock *sock;
	int family;
	char name[KMDOM_NAME_MAX];
	uint64_t id;
};

static struct nl_sock *connect_family(int *family)
{
	struct nl_sock *sock = nl_socket_alloc();

	if (!sock || genl_connect(sock))
		return NULL;
	*family = genl_ctrl_resolve(sock, KMDOM_FAMILY_NAME);
	return sock;
}

static int create(struct pager *pager, const char *name, uint64_t *id)
{
	struct kmdom_create create = { .max_frames = KMDOM_FRAMES_MIN };

	snprintf(create.name, sizeof(create.name), "%s", name);
	if (ioctl(pager->ctl, KMDOM_IOC_CREATE, &create))
		return -errno;
	*id = create.id;
	return 0;
}

FIXTURE_SETUP(netlink)
{
	ASSERT_EQ(0, pager_open(&self->pager, NULL));
	bed_name(self->name, sizeof(self->name));
	ASSERT_EQ(0, create(&self->pager, self->name, &self->id));
	self->sock = connect_family(&self->family);
	ASSERT_NE(NULL, self->sock);
	ASSERT_LT(0, self->family);
}

FIXTURE_TEARDOWN(netlink)
{
	nl_socket_free(self->sock);
	EXPECT_EQ(0, pager_destroy(&self->pager, self->name));
	pager_close(&self->pager);
}

/**
 * struct answer - what came
 * @messages: how many the kernel sent, of one or more domains each
 * @domains: how many they told of
 * @last: number of the last
 * @ordered: whether the numbers only grew
 * @name: of the last
 */
struct answer {
	unsigned int messages;
	unsigned int domains;
	uint64_t last;
	bool ordered;
	char name[KMDOM_NAME_MAX];
};

static void read_domain(struct nlmsghdr *msg, struct answer *answer)
{
	struct genlmsghdr *hdr = nlmsg_data(msg);
	struct nlattr *nla;
	uint64_t id = 0;
	int rest;

	nla_for_each_attr(nla, genlmsg_attrdata(hdr, 0), genlmsg_attrlen(hdr, 0), rest) {
		if (nla_type(nla) == KMDOM_A_DOMAIN_ID)
			id = nla_len(nla) == 8 ? nla_get_u64(nla) : nla_get_u32(nla);
		else if (nla_type(nla) == KMDOM_A_DOMAIN_NAME)
			nla_strlcpy(answer->name, nla, sizeof(answer->name));
	}
	answer->ordered = answer->ordered && id > answer->last;
	answer->last = id;
	answer->domains++;
}

/* Takes messages until the end of the answer; returns its errno. */
static int receive(struct nl_sock *sock, struct answer *answer)
{
	static char buf[1 << 17];
	struct nlmsghdr *msg;
	int left;

	*answer = (struct answer) { .ordered = true };
	for (;;) {
		left = recv(nl_socket_get_fd(sock), buf, sizeof(buf), 0);
		if (left < 0)
			return -errno;
		answer->messages++;
		for (msg = (void *)buf; nlmsg_ok(msg, left); msg = nlmsg_next(msg, &left)) {
			if (msg->nlmsg_type == NLMSG_DONE)
				return 0;
			if (msg->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)nlmsg_data(msg))->error;
			read_domain(msg, answer);
		}
	}
}

static int ask(struct nl_sock *sock, int family, int flags, uint64_t id,
	       const char *name, struct answer *answer)
{
	struct nl_msg *msg = nlmsg_alloc();
	int ret;

	if (!msg)
		return -ENOMEM;
	if (!genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, flags,
			 KMDOM_CMD_DOMAIN_GET, KMDOM_FAMILY_VERSION) ||
	    (id && nla_put_u64(msg, KMDOM_A_DOMAIN_ID, id)) ||
	    (name && nla_put_string(msg, KMDOM_A_DOMAIN_NAME, name)))
		return -EMSGSIZE;
	ret = nl_send_auto(sock, msg) < 0 ? -EIO : 0;
	nlmsg_free(msg);
	return ret ? ret : receive(sock, answer);
}

TEST_F(netlink, get)
{
	struct answer answer;

	EXPECT_EQ(0, ask(self->sock, self->family, NLM_F_ACK, self->id, NULL, &answer));
	EXPECT_EQ(1, answer.domains);
	EXPECT_EQ(self->id, answer.last);
	EXPECT_STREQ(self->name, answer.name);
	EXPECT_EQ(0, ask(self->sock, self->family, NLM_F_ACK, 0, self->name, &answer));
	EXPECT_EQ(1, answer.domains);
	EXPECT_EQ(self->id, answer.last);

	EXPECT_EQ(-EINVAL, ask(self->sock, self->family, NLM_F_ACK, self->id, self->name,
			       &answer));
	EXPECT_EQ(-EINVAL, ask(self->sock, self->family, NLM_F_ACK, 0, NULL, &answer));
	EXPECT_EQ(-ENOENT, ask(self->sock, self->family, NLM_F_ACK, self->id + 1, NULL,
			       &answer));
	EXPECT_EQ(-ENOENT, ask(self->sock, self->family, NLM_F_ACK, ~0ULL, NULL, &answer));
	EXPECT_EQ(-ENOENT, ask(self->sock, self->family, NLM_F_ACK, 0, "kt/no-such-domain",
			       &answer));
	EXPECT_EQ(0, answer.domains);
}

/* Runs as another user; returns how many checks failed. */
static int as_user(const char *name, uint64_t id)
{
	struct answer answer;
	struct nl_sock *sock;
	int family, bad = 0;

	if (setgroups(0, NULL) || setresgid(1234, 1234, 1234) || setresuid(1234, 1234, 1234))
		return 100;
	sock = connect_family(&family);
	if (!sock || family <= 0)
		return 101;
	bad += ask(sock, family, NLM_F_ACK, id, NULL, &answer) != -EPERM;
	bad += ask(sock, family, NLM_F_ACK, 0, name, &answer) != -EPERM;
	bad += ask(sock, family, NLM_F_DUMP, 0, NULL, &answer) != 0;
	bad += answer.domains != 0;
	nl_socket_free(sock);
	return bad;
}

TEST_F(netlink, domains_of_others)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(as_user(self->name, self->id));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

TEST_F(netlink, a_dump_of_many_messages)
{
	char name[KMDOM_NAME_MAX];
	struct answer answer;
	uint64_t id;
	int i;

	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%.40s/%d", self->name, i);
		ASSERT_EQ(0, create(&self->pager, name, &id));
	}
	EXPECT_EQ(0, ask(self->sock, self->family, NLM_F_DUMP, 0, NULL, &answer));
	EXPECT_EQ(MANY + 1, answer.domains);
	EXPECT_EQ(id, answer.last);
	EXPECT_STREQ(name, answer.name);
	EXPECT_TRUE(answer.ordered);
	EXPECT_LT(2, answer.messages);
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%.40s/%d", self->name, i);
		EXPECT_EQ(0, pager_destroy(&self->pager, name));
	}
	EXPECT_EQ(0, ask(self->sock, self->family, NLM_F_DUMP, 0, NULL, &answer));
	EXPECT_EQ(1, answer.domains);
}

TEST_HARNESS_MAIN
