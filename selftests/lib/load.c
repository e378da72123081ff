// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/kmdom.h>
#include "load.h"

static size_t object_size(unsigned int type)
{
	switch (type) {
	case KT_SMALL:
		return sizeof(struct kt_small);
	case KT_SIGNED:
		return sizeof(struct kt_signed);
	default:
		return sizeof(struct kt_page);
	}
}

static void fill(unsigned int type, void *obj, uint64_t seed)
{
	struct kt_signed *sig = obj;

	switch (type) {
	case KT_SMALL:
		small_fill(obj, seed);
		break;
	case KT_SIGNED:
		memset(sig, 0, sizeof(*sig));
		sig->number = seed;
		bytes_fill(sig->name, seed % sizeof(sig->name), seed);
		bytes_fill(sig->data, sizeof(sig->data), seed);
		break;
	default:
		bytes_fill(obj, sizeof(struct kt_page), seed);
	}
}

static uint64_t next(struct load *load)
{
	load->seed = load->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return load->seed >> 20;
}

/**
 * load_init() - prepare a load that is to be handed to a helper
 * @load: filled in
 * @fd: client
 * @op: operation to use
 * @type: of its objects
 * @objects: how many
 */
void load_init(struct load *load, int fd, unsigned int op, unsigned int type,
	       unsigned int objects)
{
	*load = (struct load) {
		.fd = fd, .op = op, .type = type, .objects = objects,
		.seed = op * 1000 + type,
		.refs = shared_alloc(objects * sizeof(uint64_t)),
		.seeds = shared_alloc(objects * sizeof(uint64_t)),
	};
}

static int complain(struct load *load, unsigned int i, const char *what, int ret)
{
	if (load->excuse && load->refs[i] && load->excuse(load, load->refs[i], ret)) {
		load->refs[i] = 0;
		return 0;
	}
	fprintf(stderr, "# load %u: object %u, ref %llx, type %u: %s: %s\n",
		load->op, i, (unsigned long long)load->refs[i], load->type,
		what, strerror(-ret));
	return ret;
}

static int create(struct load *load, unsigned int i)
{
	char obj[sizeof(struct kt_page)];
	uint64_t seed = next(load);
	int ret;

	fill(load->type, obj, seed);
	load->seeds[i] = seed;
	ret = kt_new(load->fd, load->op, load->type, obj, object_size(load->type),
		     &load->refs[i]);
	if (ret)
		load->refs[i] = 0;
	return ret ? complain(load, i, "new", ret) : 0;
}

static int change(struct load *load, unsigned int i)
{
	char obj[sizeof(struct kt_page)];
	uint64_t seed = next(load);
	int ret;

	fill(load->type, obj, seed);
	ret = kt_set(load->fd, load->op, load->type, load->refs[i], obj,
		     object_size(load->type));
	if (!ret)
		load->seeds[i] = seed;
	return ret ? complain(load, i, "set", ret) : 0;
}

static int verify(struct load *load, unsigned int i)
{
	char obj[sizeof(struct kt_page)], want[sizeof(struct kt_page)];
	size_t size = object_size(load->type);
	int ret;

	ret = kt_get(load->fd, load->op, load->type, load->refs[i], obj, size);
	if (ret)
		return complain(load, i, "get", ret);
	fill(load->type, want, load->seeds[i]);
	return memcmp(obj, want, size) ? complain(load, i, "contents", -EILSEQ) : 0;
}

static int destroy(struct load *load, unsigned int i)
{
	int ret = kt_del(load->fd, load->op, load->type, load->refs[i]);

	if (ret)
		return complain(load, i, "free", ret);
	load->refs[i] = 0;
	return 0;
}

static int step(struct load *load)
{
	unsigned int i = next(load) % load->objects;

	if (!load->refs[i])
		return create(load, i);
	switch (next(load) % 8) {
	case 0:
		return destroy(load, i);
	case 1:
	case 2:
	case 3:
		return change(load, i);
	default:
		return verify(load, i);
	}
}

static void note(struct load *load)
{
	if (load->progress)
		atomic_fetch_add(load->progress, 1);
}

/**
 * load_fill() - create all objects
 * @arg: struct load
 *
 * Return: 0, or a negative errno, which was said
 */
long load_fill(void *arg)
{
	struct load *load = arg;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < load->objects && !ret; i++) {
		if (!load->refs[i])
			ret = create(load, i);
		note(load);
	}
	return ret;
}

/**
 * load_run() - take steps at random
 * @arg: struct load
 *
 * Return: 0, or a negative errno, which was said
 */
long load_run(void *arg)
{
	struct load *load = arg;
	unsigned int n;
	int ret = 0;

	for (n = 0; !ret && (!load->steps || n < load->steps); n++) {
		if (load->stop && atomic_load(load->stop))
			break;
		ret = step(load);
		note(load);
		if (load->rest_us)
			usleep(next(load) % (load->rest_us * 2));
	}
	return ret;
}

/**
 * load_verify() - read all objects
 * @arg: struct load
 *
 * Return: 0, or a negative errno, which was said
 */
long load_verify(void *arg)
{
	struct load *load = arg;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < load->objects && !ret; i++) {
		if (load->refs[i])
			ret = verify(load, i);
		note(load);
	}
	return ret;
}

/**
 * load_empty() - free all objects
 * @arg: struct load
 *
 * Return: 0, or a negative errno, which was said
 */
long load_empty(void *arg)
{
	struct load *load = arg;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < load->objects && !ret; i++)
		if (load->refs[i])
			ret = destroy(load, i);
	return ret;
}
