// SPDX-License-Identifier: GPL-2.0
/*
 * A crowd: as many caches as a domain may have, each of a type with the largest
 * schema that there can be.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include "test.h"

static char crowd_field_names[KMDOM_FIELDS_MAX][64];
static struct kmdom_field crowd_fields[KMDOM_FIELDS_MAX];
static char crowd_names[KT_CROWD][KMDOM_TYPE_MAX];
static struct kmdom_type crowd_types[KT_CROWD];

/** kt_crowd_init() - make the types, before the first file is opened */
void kt_crowd_init(void)
{
	unsigned int i;

	for (i = 0; i < KMDOM_FIELDS_MAX; i++) {
		snprintf(crowd_field_names[i], sizeof(crowd_field_names[i]),
			 "%063u", i);
		crowd_fields[i] = (struct kmdom_field) {
			.name = crowd_field_names[i], .offset = i * sizeof(kmdom_ref),
			.size = sizeof(kmdom_ref), .kind = KMDOM_FIELD_REF,
			.ref_type = crowd_names[0],
		};
	}
	for (i = 0; i < KT_CROWD; i++) {
		snprintf(crowd_names[i], sizeof(crowd_names[i]), "kt_%028u", i);
		crowd_types[i] = (struct kmdom_type) {
			.name = crowd_names[i], .owner = THIS_MODULE,
			.size = sizeof(kmdom_ref) * KMDOM_FIELDS_MAX,
			.policy = KMDOM_POLICY_SIGNED,
			.nr_fields = KMDOM_FIELDS_MAX, .fields = crowd_fields,
		};
	}
}

/**
 * kt_crowd_attach() - attach caches of the crowd
 * @client: the client; the caller holds its lock, and it has a domain
 * @nr: how many it shall have; those above are detached
 *
 * Return: 0 or a negative errno
 */
int kt_crowd_attach(struct kt_client *client, unsigned int nr)
{
	struct kmdom_cache *cache;

	if (nr > KT_CROWD)
		return -EINVAL;
	while (client->nr_crowd > nr)
		kmdom_cache_detach(client->crowd[--client->nr_crowd]);
	while (client->nr_crowd < nr) {
		cache = kmdom_cache_attach(client->dom, &crowd_types[client->nr_crowd]);
		if (IS_ERR(cache))
			return PTR_ERR(cache);
		client->crowd[client->nr_crowd++] = cache;
	}
	return 0;
}
