// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family, by messages that libkmdom does not send: get by number, by
 * number and name at once, by neither; and dumps that no one message holds. Then
 * what it tells of caches and of records that were not taken, as libkmdom reads it.
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
 * @domains: how many they told of; or how many caches
 * @fields: of the caches' schemas, all together
 * @last: number of the last
 * @ordered: whether the numbers only grew
 * @name: of the last
 */
struct answer {
	unsigned int messages;
	unsigned int domains;
	unsigned int fields;
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

/* The same, of a cache: its number in the domain is the number. */
static void read_cache(struct nlmsghdr *msg, struct answer *answer)
{
	struct genlmsghdr *hdr = nlmsg_data(msg);
	struct nlattr *nla;
	uint64_t id = 0;
	int rest;

	nla_for_each_attr(nla, genlmsg_attrdata(hdr, 0), genlmsg_attrlen(hdr, 0), rest) {
		if (nla_type(nla) == KMDOM_A_CACHE_ID)
			id = nla_get_u32(nla);
		else if (nla_type(nla) == KMDOM_A_CACHE_TYPE)
			nla_strlcpy(answer->name, nla, sizeof(answer->name));
		else if (nla_type(nla) == KMDOM_A_CACHE_FIELDS)
			answer->fields++;
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
			if (((struct genlmsghdr *)nlmsg_data(msg))->cmd == KMDOM_CMD_CACHE_GET)
				read_cache(msg, answer);
			else
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

/* What names a cache in a request; 0 and NULL are not sent. */
struct cache_name {
	uint64_t domain_id;
	const char *domain;
	uint32_t id;
	const char *type;
};

static int ask_cache(struct nl_sock *sock, int family, int flags, struct cache_name by,
		     struct answer *answer)
{
	struct nl_msg *msg = nlmsg_alloc();
	int ret;

	if (!msg)
		return -ENOMEM;
	if (!genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, flags,
			 KMDOM_CMD_CACHE_GET, KMDOM_FAMILY_VERSION) ||
	    (by.domain_id && nla_put_u64(msg, KMDOM_A_CACHE_DOMAIN_ID, by.domain_id)) ||
	    (by.domain && nla_put_string(msg, KMDOM_A_CACHE_DOMAIN_NAME, by.domain)) ||
	    (by.id && nla_put_u32(msg, KMDOM_A_CACHE_ID, by.id)) ||
	    (by.type && nla_put_string(msg, KMDOM_A_CACHE_TYPE, by.type)))
		return -EMSGSIZE;
	ret = nl_send_auto(sock, msg) < 0 ? -EIO : 0;
	nlmsg_free(msg);
	return ret ? ret : receive(sock, answer);
}

FIXTURE(caches) {
	struct bed bed;
	struct nl_sock *sock;
	int family;
	struct kmdom_cache_schema cache;
};

FIXTURE_SETUP(caches)
{
	struct bed_spec spec = {
		.procs = 1, .types = 1U << KT_SMALL | 1U << KT_CHECKED | 1U << KT_SIGNED,
	};

	ASSERT_EQ(0, bed_up(&self->bed, &spec));
	self->sock = connect_family(&self->family);
	ASSERT_NE(NULL, self->sock);
	ASSERT_LT(0, self->family);
}

FIXTURE_TEARDOWN(caches)
{
	nl_socket_free(self->sock);
	EXPECT_EQ(0, bed_down(&self->bed));
}

#define DO(...) ask_cache(self->sock, self->family, NLM_F_ACK,		\
			  (struct cache_name) { __VA_ARGS__ }, &answer)
#define DUMP(...) ask_cache(self->sock, self->family, NLM_F_DUMP,	\
			    (struct cache_name) { __VA_ARGS__ }, &answer)

TEST_F(caches, get)
{
	const char *name = self->bed.name;
	struct answer answer;
	struct kmdom_info info;

	ASSERT_EQ(0, kmdom_info_find(name, &info));
	EXPECT_EQ(0, DO(.domain = name, .type = "kt_checked"));
	EXPECT_EQ(1, answer.domains);
	EXPECT_EQ(3, answer.last);
	EXPECT_EQ(9, answer.fields);
	EXPECT_STREQ("kt_checked", answer.name);
	EXPECT_EQ(0, DO(.domain_id = info.id, .id = 2));
	EXPECT_EQ(2, answer.last);
	EXPECT_STREQ("kt_signed", answer.name);

	EXPECT_EQ(-EINVAL, DO(.id = 1));
	EXPECT_EQ(-EINVAL, DO(.domain = name));
	EXPECT_EQ(-EINVAL, DO(.domain = name, .domain_id = info.id, .id = 1));
	EXPECT_EQ(-EINVAL, DO(.domain = name, .id = 1, .type = "kt_small"));
	EXPECT_EQ(-ENOENT, DO(.domain = name, .id = 4));
	EXPECT_EQ(-ENOENT, DO(.domain = name, .id = ~0U));
	EXPECT_EQ(-ENOENT, DO(.domain = name, .type = "kt_tiny"));
	EXPECT_EQ(-ENOENT, DO(.domain = "kt/no-such-domain", .id = 1));
	EXPECT_EQ(-ENOENT, DO(.domain_id = info.id + 1, .id = 1));
	EXPECT_EQ(-EINVAL, DO(.domain = name, .type = "a_name_that_is_longer_than_can_be"));
	EXPECT_EQ(0, answer.domains);

	EXPECT_EQ(0, DUMP(.domain = name));
	EXPECT_EQ(3, answer.domains);
	EXPECT_TRUE(answer.ordered);
	EXPECT_EQ(0, DUMP(.domain_id = info.id));
	EXPECT_EQ(3, answer.domains);
	EXPECT_EQ(0, DUMP());
	EXPECT_EQ(3, answer.domains);
	EXPECT_EQ(-ENOENT, DUMP(.domain = "kt/no-such-domain"));
	EXPECT_EQ(-EINVAL, DUMP(.domain = name, .domain_id = info.id));
}

TEST_F(caches, schema)
{
	struct kmdom_cache_schema *cache = &self->cache;
	struct kmdom_schema_field *field = cache->fields;
	struct kmdom_info info;
	struct kt_checked obj = { .colour = 1, .sum = 1 };
	uint64_t ref;

	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
	ASSERT_EQ(0, px_new(self->bed.procs, self->bed.client, KT_CHECKED, &obj,
			    sizeof(obj), &ref));
	ASSERT_EQ(0, kmdom_cache_find(self->bed.name, "kt_checked", cache));
	EXPECT_EQ(info.id, cache->domain_id);
	EXPECT_STREQ(self->bed.name, cache->domain_name);
	EXPECT_EQ(0, memcmp(info.uuid, cache->domain_uuid, sizeof(info.uuid)));
	EXPECT_EQ(3, cache->id);
	EXPECT_EQ(1, cache->attached);
	EXPECT_EQ(1, cache->pages);
	EXPECT_EQ(sizeof(struct kt_checked), cache->size);
	EXPECT_EQ(64, cache->slots);
	EXPECT_EQ(KMDOM_POLICY_CHECKED, cache->policy);
	EXPECT_EQ(1, cache->check);
	ASSERT_EQ(9, cache->nr_fields);

	EXPECT_STREQ("colour", field->name);
	EXPECT_EQ(KMDOM_KIND_INT, field->kind);
	EXPECT_EQ(1, field->min);
	EXPECT_EQ(KT_COLOURS, field->max);
	field = &cache->fields[1];
	EXPECT_EQ(KMDOM_KIND_FLAGS, field->kind);
	EXPECT_EQ(KT_FLAGS, field->max);
	field = &cache->fields[5];
	EXPECT_EQ(KMDOM_KIND_REF, field->kind);
	EXPECT_STREQ("kt_checked", field->ref_type);
	field = &cache->fields[6];
	EXPECT_STREQ("bytes", field->name);
	EXPECT_EQ(KMDOM_KIND_BYTES, field->kind);
	EXPECT_EQ(2, field->len_field);
	EXPECT_EQ(offsetof(struct kt_checked, bytes), field->offset);
	EXPECT_EQ(sizeof(obj.bytes), field->size);
	EXPECT_EQ(KMDOM_SCHEMA_LEN_TRIM, cache->fields[7].len_field);
	EXPECT_EQ(KMDOM_KIND_KERNEL, cache->fields[8].kind);

	ASSERT_EQ(0, kmdom_cache_find(self->bed.name, "kt_small", cache));
	EXPECT_EQ(0, cache->check);
	EXPECT_EQ(0, cache->pages);
	EXPECT_EQ(KMDOM_POLICY_SEALED, cache->policy);
	EXPECT_EQ(KMDOM_KIND_SECRET, cache->fields[6].kind);
	EXPECT_EQ(KMDOM_SCHEMA_LEN_ALL, cache->fields[6].len_field);
	EXPECT_EQ(KMDOM_KIND_SOFT, cache->fields[8].kind);
	EXPECT_EQ(-ENOENT, kmdom_cache_find(self->bed.name, "kt_page", cache));
	EXPECT_EQ(-EINVAL, kmdom_cache_find(self->bed.name, "", cache));
	EXPECT_EQ(-EINVAL, kmdom_cache_find("", "kt_small", cache));
}

static int detach(int client, unsigned int type)
{
	struct kt_req req = { .type = type };

	return kt(client, KT_IOC_DETACH, &req);
}

/* A type that nobody needs any more may be gone: it is not looked at. */
TEST_F(caches, without_a_type)
{
	struct kmdom_cache_schema *cache = &self->cache;
	uint64_t ref, hash;
	struct kt_signed obj = { .number = 1 };

	ASSERT_EQ(0, kmdom_cache_find(self->bed.name, "kt_signed", cache));
	hash = cache->hash;
	EXPECT_NE(0, hash);
	ASSERT_EQ(0, detach(self->bed.client, KT_SIGNED));
	ASSERT_EQ(0, kmdom_cache_find(self->bed.name, "kt_signed", cache));
	EXPECT_EQ(2, cache->id);
	EXPECT_EQ(hash, cache->hash);
	EXPECT_EQ(0, cache->attached);
	EXPECT_EQ(0, cache->size);
	EXPECT_EQ(0, cache->nr_fields);

	/* Its pages need it, too. */
	ASSERT_EQ(0, client_attach(self->bed.client, KT_SIGNED));
	ASSERT_EQ(0, px_new(self->bed.procs, self->bed.client, KT_SIGNED, &obj,
			    sizeof(obj), &ref));
	ASSERT_EQ(0, detach(self->bed.client, KT_SIGNED));
	ASSERT_EQ(0, kmdom_cache_find(self->bed.name, "kt_signed", cache));
	EXPECT_EQ(hash, cache->hash);
	EXPECT_EQ(0, cache->attached);
	EXPECT_EQ(1, cache->pages);
	EXPECT_EQ(5, cache->nr_fields);
}

static int caches_as_user(const char *name)
{
	struct answer answer;
	struct nl_sock *sock;
	int family, bad = 0;

	if (setgroups(0, NULL) || setresgid(1234, 1234, 1234) || setresuid(1234, 1234, 1234))
		return 100;
	sock = connect_family(&family);
	if (!sock || family <= 0)
		return 101;
	bad += ask_cache(sock, family, NLM_F_ACK,
			 (struct cache_name) { .domain = name, .id = 1 }, &answer) != -EPERM;
	bad += ask_cache(sock, family, NLM_F_DUMP,
			 (struct cache_name) { .domain = name }, &answer) != -EPERM;
	bad += answer.domains != 0;
	bad += ask_cache(sock, family, NLM_F_DUMP, (struct cache_name) {}, &answer) != 0;
	bad += answer.domains != 0;
	nl_socket_free(sock);
	return bad;
}

TEST_F(caches, of_others)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(caches_as_user(self->bed.name));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

static int crowd(int client, unsigned int nr)
{
	struct kt_req req = { .nr_pins = nr };

	return kt(client, KT_IOC_CROWD, &req);
}

/* As many as there can be, of schemas as large as there can be. */
TEST_F(caches, crowd)
{
	const char *name = self->bed.name;
	const unsigned int nr = KT_CROWD - 3, all = 5 + 9 + 9;
	struct kmdom_schema_field *last = &self->cache.fields[63];
	struct answer answer;

	ASSERT_EQ(0, crowd(self->bed.client, nr));
	EXPECT_EQ(-EDQUOT, crowd(self->bed.client, nr + 1));
	EXPECT_EQ(0, DO(.domain = name, .id = KT_CROWD));
	EXPECT_EQ(64, answer.fields);
	EXPECT_EQ(0, DUMP(.domain = name));
	EXPECT_EQ(KT_CROWD, answer.domains);
	EXPECT_EQ(KT_CROWD, answer.last);
	EXPECT_TRUE(answer.ordered);
	EXPECT_EQ(64 * nr + all, answer.fields);
	EXPECT_LT(nr / 4, answer.messages);
	ASSERT_EQ(0, kmdom_cache_find(name, answer.name, &self->cache));
	EXPECT_EQ(64, self->cache.nr_fields);
	EXPECT_EQ(KMDOM_SCHEMA_NAME_MAX - 1, strlen(last->name));
	EXPECT_EQ(KMDOM_TYPE_MAX - 1, strlen(last->ref_type));
	EXPECT_EQ(63, atoi(last->name));

	ASSERT_EQ(0, crowd(self->bed.client, 0));
	EXPECT_EQ(0, DUMP());
	EXPECT_EQ(KT_CROWD, answer.domains);
	EXPECT_EQ(all, answer.fields);
}

/* The first message of a dump has room for a large schema, whoever receives it. */
TEST_F(caches, large_first)
{
	struct nl_sock *used = self->sock;
	int client = client_open();
	char name[KMDOM_NAME_MAX];
	struct answer answer;
	uint64_t id;

	bed_name(name, sizeof(name));
	ASSERT_EQ(0, create(&self->bed.pager, name, &id));
	ASSERT_EQ(0, client_find(client, name));
	ASSERT_EQ(0, crowd(client, 1));
	/* One that the kernel knows no buffer of: it has received nothing yet. */
	self->sock = nl_socket_alloc();
	ASSERT_EQ(0, genl_connect(self->sock));
	EXPECT_EQ(0, DUMP(.domain_id = id));
	EXPECT_EQ(64, answer.fields);
	nl_socket_free(self->sock);
	self->sock = used;
	EXPECT_EQ(0, DUMP());
	EXPECT_EQ(4, answer.domains);
	close(client);
	EXPECT_EQ(0, pager_destroy(&self->bed.pager, name));
}

/* Records that are not taken, by reason. */
TEST_F(caches, rejects)
{
	struct pager *pager = &self->bed.pager;
	struct kt_signed obj = { .number = 1 };
	struct kmdom_record *rec;
	struct kmdom_page page;
	struct kmdom_info info;
	struct stored *old;
	unsigned int why;
	uint64_t ref, sum = 0;

	ASSERT_EQ(0, px_new(self->bed.procs, self->bed.client, KT_SIGNED, &obj,
			    sizeof(obj), &ref));
	ASSERT_EQ(0, pager_preempt(pager, KT_REF_INDEX(ref)));
	ASSERT_EQ(0, pager_look(pager, KT_REF_INDEX(ref), &page));
	old = store_get(self->bed.store, page.index, page.version);
	ASSERT_NE(NULL, old);
	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
	for (why = 0; why < KMDOM_INFO_REJECTS; why++)
		EXPECT_EQ(0, info.rejects[why]);

	rec = (struct kmdom_record *)old->data;
	rec->magic ^= 1;
	EXPECT_EQ(-EINVAL, pager_restore(pager, page.index, page.version, rec, old->len));
	EXPECT_EQ(-EINVAL, pager_restore(pager, page.index, page.version, rec, old->len));
	rec->magic ^= 1;
	old->data[sizeof(*rec)] ^= 1;
	EXPECT_EQ(-EBADMSG, pager_restore(pager, page.index, page.version, rec, old->len));
	old->data[sizeof(*rec)] ^= 1;
	EXPECT_EQ(-ESTALE, pager_restore(pager, page.index, page.version - 1, rec, old->len));

	ASSERT_EQ(0, kmdom_info_find(self->bed.name, &info));
	EXPECT_EQ(2, info.rejects[KMDOM_REJECT_MAGIC]);
	EXPECT_EQ(1, info.rejects[KMDOM_REJECT_TAG]);
	EXPECT_EQ(1, info.rejects[KMDOM_REJECT_STALE]);
	for (why = 0; why < KMDOM_INFO_REJECTS; why++)
		sum += info.rejects[why];
	EXPECT_EQ(4, sum);
	EXPECT_EQ(info.rejected, sum);
}

TEST_HARNESS_MAIN
