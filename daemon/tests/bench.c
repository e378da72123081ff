// SPDX-License-Identifier: GPL-2.0
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "bench.h"

const uint8_t uuid[16] = "a domain's uuid";
const uint8_t other_uuid[16] = "another domain'";

const struct setting bench_settings[BENCH_SETTINGS] = {
	{ "mem", &door_ioctl_ops },
	{ "file", &door_ioctl_ops },
	{ "file", &door_uring_ops },
};

void bench_path(struct bench *bench)
{
	snprintf(bench->path, sizeof(bench->path), "/var/tmp/kmdom_store.%d", getpid());
	unlink(bench->path);
}

int bench_open_as(struct bench *bench, const struct setting *setting,
		  const uint8_t *id, uint64_t size, bool replace)
{
	int ret;

	bench->options.kind = setting->kind;
	bench->options.path = bench->path;
	bench->options.size = size;
	bench->options.replace = replace;
	ret = store_open(&bench->store, &bench->options);
	if (ret)
		return ret;
	ret = store_lock(&bench->store, 10000);
	if (!ret)
		ret = store_load(&bench->store, id);
	if (ret) {
		store_close(&bench->store);
		return ret;
	}
	bench->door.ops = setting->door;
	ret = setting->door->open(&bench->door, -1, -1);
	bench->store.door = &bench->door;
	return ret ? ret : store_io_init(&bench->io, &bench->store);
}

int bench_open(struct bench *bench, const struct setting *setting)
{
	return bench_open_as(bench, setting, uuid, SIZE, false);
}

void bench_close(struct bench *bench)
{
	store_io_exit(&bench->io);
	bench->door.ops->close(&bench->door);
	store_close(&bench->store);
}

static void bench_done(struct store_io *io, int ret)
{
	struct bench *bench = (struct bench *)((char *)io - offsetof(struct bench, io));

	bench->done = true;
	bench->ret = ret;
}

int bench_wait(struct bench *bench)
{
	while (!bench->done) {
		door_wait(&bench->door, chaos_timeout(&bench->store));
		chaos_poll(&bench->store);
	}
	return bench->ret;
}

/* A record's length and bytes follow from page and version. */
uint32_t record_length(uint64_t page, uint64_t version)
{
	uint64_t hash = (page * 0x9e3779b97f4a7c15ULL + version) * 0xff51afd7ed558ccdULL;

	switch (hash >> 60) {
	case 0:
		return sizeof(struct kmdom_record) + 1;
	case 1:
		return KMDOM_RECORD_MAX;
	default:
		return sizeof(struct kmdom_record) + (hash >> 32) % 4200;
	}
}

void record_fill(void *buf, const uint8_t *id, uint64_t page, uint64_t version)
{
	struct kmdom_record rec = {
		.magic = htole32(KMDOM_MAGIC_RECORD),
		.format = htole16(KMDOM_RECORD_FORMAT),
		.index = htole64(page),
		.version = htole64(version),
		.length = htole32(record_length(page, version)),
	};
	uint32_t i, len = record_length(page, version);
	uint64_t word = page << 32 ^ version;
	uint8_t *p = buf;

	memcpy(rec.domain, id, sizeof(rec.domain));
	memcpy(p, &rec, sizeof(rec));
	/* Half of them compress well. */
	for (i = sizeof(rec); i < len; i++) {
		if (page % 2 || i % 8 == 0)
			word = word * 6364136223846793005ULL + 1442695040888963407ULL;
		p[i] = word >> 56;
	}
}

int bench_put_begin(struct bench *bench, uint64_t page, uint64_t version)
{
	int room = store_reserve(&bench->store, &bench->io);

	if (room < 0)
		return room;
	bench->io.key = index_key(0, page);
	bench->io.version = version;
	bench->io.length = record_length(page, version);
	bench->io.stored = 0;
	if (bench->io.length > (uint32_t)room) {
		store_cancel(&bench->store, &bench->io);
		return -EMSGSIZE;
	}
	record_fill(store_record(&bench->io), bench->store.uuid, page, version);
	bench->io.done = bench_done;
	bench->done = false;
	store_write(&bench->store, &bench->io);
	return 0;
}

int bench_put(struct bench *bench, uint64_t page, uint64_t version)
{
	int ret = bench_put_begin(bench, page, version);

	if (ret)
		return ret;
	ret = bench_wait(bench);
	return ret < 0 ? ret : store_commit(&bench->store, &bench->io);
}

/* Reads a page's record: -ENOENT; -EILSEQ: not what was put; else its error. */
int bench_get(struct bench *bench, uint64_t page, uint64_t version)
{
	struct index_entry *entry = index_get(&bench->store.index, index_key(0, page));
	uint8_t want[KMDOM_RECORD_MAX];
	int ret;

	if (!entry || entry->version != version)
		return -ENOENT;
	bench->io.key = entry->key;
	bench->io.version = version;
	bench->io.done = bench_done;
	bench->done = false;
	memset(store_record(&bench->io), 0xee, KMDOM_RECORD_MAX);
	store_read(&bench->store, &bench->io);
	ret = bench_wait(bench);
	if (ret < 0)
		return ret;
	record_fill(want, bench->store.uuid, page, version);
	if ((uint32_t)ret != record_length(page, version) ||
	    memcmp(want, store_record(&bench->io), ret))
		return -EILSEQ;
	return 0;
}

int bench_put_again(struct bench *bench)
{
	int ret;

	bench->done = false;
	store_write_again(&bench->store, &bench->io);
	ret = bench_wait(bench);
	return ret < 0 ? ret : store_commit(&bench->store, &bench->io);
}
