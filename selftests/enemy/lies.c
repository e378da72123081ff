// SPDX-License-Identifier: GPL-2.0
/* The generator: records from the corpus, swapped, or changed. */
#include <endian.h>
#include <string.h>
#include "enemy.h"

/* What must be in a field for the reason not to be another one. */
static void spoil(uint64_t *state, void *field, size_t size)
{
	uint8_t *at = field;

	at[below(state, size)] ^= 1 << below(state, 8);
}

static void lie_of_map(struct enemy *self, struct lie *lie)
{
	struct kmdom_record *rec = (struct kmdom_record *)lie->data;
	unsigned int slots = self->targets[lie->about].slots;
	unsigned int slot = slots + below(&self->state, 256 - slots);

	rec->map[slot / 8] |= 1 << slot % 8;
}

/* An edit of a CHECKED payload, which is not valid for that reason. */
static void lie_of_payload(struct enemy *self, struct lie *lie, enum kmdom_reject why)
{
	uint8_t *at = lie->data + HEADER;
	uint8_t tag[TAG];
	uint64_t *state = &self->state;

	memcpy(tag, lie->data + lie->len - TAG, TAG);
	switch (why) {
	case KMDOM_REJECT_END:
		lie->len -= 1 + below(state, lie->len - HEADER - TAG);
		break;
	case KMDOM_REJECT_REST:
		lie->len += 1 + below(state, 40);
		break;
	case KMDOM_REJECT_RANGE:
		at[0] = below(state, 2) ? 0 : 8 + below(state, 248);
		break;
	case KMDOM_REJECT_FLAGS:
		at[1] |= 1 << (2 + below(state, 5));
		break;
	case KMDOM_REJECT_REF:
		at[16 + below(state, 2) * 7] = 1 + below(state, 255);
		break;
	case KMDOM_REJECT_COUNT:
		at[2] = 17 + below(state, 200);
		break;
	case KMDOM_REJECT_TRIM:
		at[24 + 7 + 2 + 3] = 0;
		break;
	default:
		at[4 + below(state, 4)] ^= 1 + below(state, 255);
	}
	memcpy(lie->data + lie->len - TAG, tag, TAG);
}

/* One that is wrong in one way, which is told by its reason. */
static void lie_directed(struct enemy *self, struct lie *lie, enum kmdom_reject why)
{
	struct kmdom_record *rec = (struct kmdom_record *)lie->data;
	uint64_t *state = &self->state;

	switch (why) {
	case KMDOM_REJECT_LENGTH:
		lie->len = below(state, 2) ? below(state, HEADER + TAG) :
					     KMDOM_RECORD_MAX + 1 + below(state, 60);
		break;
	case KMDOM_REJECT_STALE:
		lie->version += 1 + below(state, 1000);
		break;
	case KMDOM_REJECT_MAGIC:
		spoil(state, &rec->magic, sizeof(rec->magic));
		break;
	case KMDOM_REJECT_FORMAT:
		rec->format = htole16(below(state, 2));
		break;
	case KMDOM_REJECT_RESERVED:
		spoil(state, &rec->reserved, sizeof(rec->reserved));
		break;
	case KMDOM_REJECT_DOMAIN:
		spoil(state, rec->domain, sizeof(rec->domain));
		break;
	case KMDOM_REJECT_LEVEL:
		rec->level += 1 + below(state, 255);
		break;
	case KMDOM_REJECT_INDEX:
		spoil(state, &rec->index, sizeof(rec->index));
		break;
	case KMDOM_REJECT_POLICY:
		rec->policy += 1 + below(state, 255);
		break;
	case KMDOM_REJECT_TYPE:
		spoil(state, &rec->type, sizeof(rec->type));
		break;
	case KMDOM_REJECT_SLOTS:
		spoil(state, &rec->slots, sizeof(rec->slots));
		break;
	case KMDOM_REJECT_MAP:
		lie_of_map(self, lie);
		break;
	case KMDOM_REJECT_LIVE:
		spoil(state, &rec->live, sizeof(rec->live));
		break;
	case KMDOM_REJECT_SIZE:
		spoil(state, &rec->length, sizeof(rec->length));
		break;
	case KMDOM_REJECT_VERSION:
		spoil(state, &rec->version, sizeof(rec->version));
		break;
	case KMDOM_REJECT_TAG:
		spoil(state, lie->data + lie->len - TAG, TAG);
		break;
	default:
		lie_of_payload(self, lie, why);
	}
}

/* The header of the page, so that only what is behind it tells the difference. */
static void forge_header(const struct target *target, struct lie *lie)
{
	struct kmdom_record *rec = (struct kmdom_record *)lie->data;
	const struct kmdom_record *true_rec = (const struct kmdom_record *)target->rec.data;
	struct kmdom_record told = *rec;

	*rec = *true_rec;
	rec->length = true_rec->length ? htole32(lie->len) : 0;
	if (told.slots == true_rec->slots) {
		memcpy(rec->map, told.map, sizeof(rec->map));
		rec->live = told.live;
	}
}

static const struct stored *any_record(struct enemy *self)
{
	return &self->corpus[below(&self->state, self->nr_corpus)];
}

/* Another page's, or an older one; whole, or under the page's own header. */
static void lie_swapped(struct enemy *self, struct lie *lie)
{
	const struct stored *base = any_record(self);

	lie->len = base->len;
	memcpy(lie->data, base->data, base->len);
	if (below(&self->state, 2))
		forge_header(&self->targets[lie->about], lie);
}

/* One of the corpus, damaged at random, and perhaps under the page's own header. */
static void lie_wild(struct enemy *self, struct lie *lie)
{
	const struct target *target = &self->targets[lie->about];
	const struct stored *base = any_record(self);
	uint64_t *state = &self->state;
	unsigned int i;

	if (below(state, 2)) {
		lie->len = base->len;
		memcpy(lie->data, base->data, base->len);
	}
	if (below(state, 4) == 0)
		lie->len = HEADER + TAG + below(state, KMDOM_RECORD_MAX - HEADER - TAG + 1);
	for (i = below(state, 5); i; i--)
		lie->data[below(state, lie->len)] ^= 1 << below(state, 8);
	if (below(state, 2))
		forge_header(target, lie);
	if (below(state, 8) == 0)
		lie->version = base->version;
}

/* A table has all the slots that there can be; nobody looks into it before its tag. */
bool of_tables(enum kmdom_reject why)
{
	return why < KMDOM_REJECT_END && why != KMDOM_REJECT_MAP;
}

/* Of what a reason is reached with: a payload is looked at only if it is CHECKED. */
static enum target_kind about(struct enemy *self, enum kmdom_reject why)
{
	if (self->level > 1)
		return TABLE + self->level - 1;
	if (why >= KMDOM_REJECT_END)
		return CHECKED;
	return below(&self->state, of_tables(why) ? TABLE + 1 : TABLE);
}

static enum kmdom_reject any_reason(struct enemy *self)
{
	enum kmdom_reject why;

	do {
		why = 1 + below(&self->state, KMDOM_NR_REJECTS - 1);
	} while (self->level > 1 && !of_tables(why));
	return why;
}

void lie_make(struct enemy *self, struct lie *lie)
{
	enum kmdom_reject why = any_reason(self);
	unsigned int way = below(&self->state, 32);
	const struct target *target;

	lie->about = about(self, why);
	target = &self->targets[lie->about];
	lie->version = target->version;
	lie->len = target->rec.len;
	memset(lie->data, 0, sizeof(lie->data));
	memcpy(lie->data, target->rec.data, target->rec.len);
	if (way < 3)
		lie_wild(self, lie);
	else if (way < 5)
		lie_swapped(self, lie);
	else if (way > 8 || below(&self->state, 8))
		lie_directed(self, lie, why);
	lie->fair = is_fair(target, lie);
}
