// SPDX-License-Identifier: GPL-2.0
/*
 * Which records must be taken, told by nothing of the module's: the current one, bit
 * for bit; of a CHECKED page also any that has its header, its tag, and fields of the
 * right form.
 */
#include <string.h>
#include "enemy.h"

static const uint8_t *eat(const uint8_t **pos, size_t *left, size_t len)
{
	const uint8_t *at = *pos;

	if (*left < len)
		return NULL;
	*pos += len;
	*left -= len;
	return at;
}

static uint64_t number_at(const uint8_t *at, size_t size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | at[size];
	return value;
}

/* One struct kt_checked, from bytes that anybody may have written. */
bool checked_parse(const uint8_t *pos, size_t left, struct kt_checked *obj)
{
	const uint8_t *at = eat(&pos, &left, 24);
	uint64_t index;
	size_t note;

	memset(obj, 0, sizeof(*obj));
	if (!at)
		return false;
	obj->colour = at[0];
	obj->flags = at[1];
	obj->len = number_at(at + 2, 2);
	obj->sum = number_at(at + 4, 4);
	obj->number = number_at(at + 8, 8);
	obj->ref = number_at(at + 16, 8);
	index = obj->ref >> 8;
	if (!obj->colour || obj->colour > 7 || obj->flags & 0x7c || obj->len > 16 ||
	    (obj->ref && (!index || index >> 36)))
		return false;
	at = eat(&pos, &left, obj->len);
	if (!at)
		return false;
	memcpy(obj->bytes, at, obj->len);
	at = eat(&pos, &left, 2);
	if (!at)
		return false;
	note = number_at(at, 2);
	at = note <= 16 ? eat(&pos, &left, note) : NULL;
	if (!at || (note && !at[note - 1]))
		return false;
	memcpy(obj->note, at, note);
	return !left && obj->sum ==
	       (uint32_t)(obj->colour + obj->flags + obj->len + obj->number);
}

bool is_fair(const struct target *target, const struct lie *lie)
{
	const struct stored *rec = &target->rec;
	struct kt_checked obj;

	if (lie->version != target->version || lie->len < HEADER + TAG ||
	    lie->len > KMDOM_RECORD_MAX)
		return false;
	if (lie->about != CHECKED)
		return lie->len == rec->len && !memcmp(lie->data, rec->data, rec->len);
	return !memcmp(lie->data, rec->data, HEADER) &&
	       !memcmp(lie->data + lie->len - TAG, rec->data + rec->len - TAG, TAG) &&
	       checked_parse(lie->data + HEADER, lie->len - HEADER - TAG, &obj);
}
