// SPDX-License-Identifier: GPL-2.0
/*
 * The module, which is the client of a domain.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "bench.h"

#define CLIENT_DEVICE	"/dev/kmdom_bench"

/* At rest: so many periods with so little work each, that of looking included. */
#define REST_PERIODS	5
#define REST_PERIOD_US	50000
#define REST_BUSY_NS	1000000

static int open_domain(const char *domain, const char *aead, bool trim)
{
	struct kb_domain names = { .trim = trim };
	int fd = open(CLIENT_DEVICE, O_RDWR | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	snprintf(names.name, sizeof(names.name), "%s", domain);
	snprintf(names.aead, sizeof(names.aead), "%s", aead);
	if (!ioctl(fd, KB_IOC_DOMAIN, &names))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

/**
 * client_open() - make the module the client of a domain
 * @domain: its name
 * @aead: its cipher
 *
 * Return: a descriptor or a negative errno.
 */
int client_open(const char *domain, const char *aead)
{
	return open_domain(domain, aead, false);
}

/**
 * client_open_trim() - the same, and the records of its pages are short
 * @domain: its name
 * @aead: its cipher
 *
 * Return: a descriptor or a negative errno.
 */
int client_open_trim(const char *domain, const char *aead)
{
	return open_domain(domain, aead, true);
}

/**
 * client_fill() - have it make objects that stay, each alone in its page
 * @client: of client_open()
 * @count: how many; those of before are freed
 *
 * Return: 0 or a negative errno.
 */
int client_fill(int client, uint32_t count)
{
	struct kb_fill fill = { .count = count };

	return ioctl(client, KB_IOC_FILL, &fill) ? -errno : 0;
}

/**
 * client_add() - have it make more objects that stay, each alone in its page
 * @client: of client_open()
 * @count: how many
 * @every: so many apart are those that it uses from then on; 0: none
 * @page: out: index of the first one's page; the others follow
 *
 * Return: 0 or a negative errno.
 */
int client_add(int client, uint32_t count, uint32_t every, uint64_t *page)
{
	struct kb_add add = { .count = count, .every = every };
	int ret = ioctl(client, KB_IOC_ADD, &add) ? -errno : 0;

	*page = add.page;
	return ret;
}

/**
 * client_run() - have it do something over and over
 * @client: of client_open()
 * @work: what
 * @count: how many times
 *
 * Return: what it costs each time, in ns, or a negative errno.
 */
double client_run(int client, enum kb_work work, uint32_t count)
{
	struct kb_run run = { .work = work, .count = count };

	return ioctl(client, KB_IOC_RUN, &run) ? -errno : (double)run.ns / count;
}

/**
 * client_push_out() - have all pages of others leave a domain's frames
 * @domain: its name; somebody pages it
 * @frames: of it
 *
 * Objects of the module's take their place, and are freed.
 *
 * Return: 0 or a negative errno.
 */
int client_push_out(const char *domain, uint32_t frames)
{
	int client = client_open(domain, BENCH_AEAD), ret;

	if (client < 0)
		return client;
	ret = client_fill(client, 2 * frames);
	if (!ret)
		ret = client_fill(client, 0);
	close(client);
	return ret;
}

/**
 * client_busy() - wait until the machine is at rest, and tell what it has worked
 * @client: of client_open()
 * @ns: out: all processors together, since they began
 *
 * So that what somebody left to others, or to later, is counted.
 *
 * Return: 0 or a negative errno.
 */
int client_busy(int client, uint64_t *ns)
{
	struct kb_busy busy, before = { 0 };
	int quiet = 0;

	while (quiet < REST_PERIODS) {
		if (ioctl(client, KB_IOC_BUSY, &busy))
			return -errno;
		quiet = busy.ns - before.ns < REST_BUSY_NS ? quiet + 1 : 0;
		before = busy;
		usleep(REST_PERIOD_US);
	}
	*ns = busy.ns;
	return 0;
}
