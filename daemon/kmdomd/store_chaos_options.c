// SPDX-License-Identifier: GPL-2.0
/*
 * What --chaos says: KIND=CHANCE[,...], delay=CHANCE:MILLISECONDS, seed=N, log=FILE.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "store_chaos.h"

#define CHAOS_DELAY_MAX	10000	/* ms */

static const char *const names[CHAOS_KINDS] = {
	[CHAOS_FAIL] = "fail",
	[CHAOS_CORRUPT] = "corrupt",
	[CHAOS_FORGE] = "forge",
	[CHAOS_DELAY] = "delay",
	[CHAOS_REORDER] = "reorder",
	[CHAOS_DROP] = "drop",
	[CHAOS_ROT] = "rot",
};

/* A kind's name, as in the options. */
const char *chaos_name(enum chaos_kind kind)
{
	return names[kind];
}

/* Why an option is wrong; good until the next one is. */
static const char *wrong(const char *why, const char *value)
{
	static char text[160];

	snprintf(text, sizeof(text), why, value);
	return text;
}

static const char *parse_chance(uint64_t *chance, const char *value)
{
	double part;
	char *end;

	part = strtod(value, &end);
	/* Also false for what is no number. */
	if (end == value || *end || !(part >= 0 && part <= 1))
		return wrong("\"%s\" is no chance from 0 to 1", value);
	*chance = part * 4294967296.0;
	return NULL;
}

static const char *parse_delay(struct chaos_options *options, char *value)
{
	char *ms = strchr(value, ':'), *end;
	unsigned long most;

	if (!ms)
		return wrong("delay=%s lacks the milliseconds: delay=CHANCE:MS", value);
	*ms++ = '\0';
	most = strtoul(ms, &end, 10);
	if (end == ms || *end || *ms == '-' || !most || most > CHAOS_DELAY_MAX)
		return wrong("a delay of \"%s\" is none from 1 to 10000 ms", ms);
	options->delay_ms = most;
	return parse_chance(&options->chance[CHAOS_DELAY], value);
}

static const char *parse_seed(struct chaos_options *options, const char *value)
{
	char *end;

	errno = 0;
	options->seed = strtoull(value, &end, 10);
	options->has_seed = true;
	return end == value || *end || errno || *value == '-' ?
	       wrong("\"%s\" is no seed", value) : NULL;
}

static const char *parse_one(struct chaos_options *options, char *name, char *value)
{
	int kind;

	if (!strcmp(name, "seed"))
		return parse_seed(options, value);
	if (!strcmp(name, "log")) {
		options->log = value;
		return NULL;
	}
	for (kind = 0; kind < CHAOS_KINDS; kind++) {
		if (strcmp(name, names[kind]))
			continue;
		return kind == CHAOS_DELAY ? parse_delay(options, value) :
		       parse_chance(&options->chance[kind], value);
	}
	return wrong("there is no \"%s\": fail, corrupt, forge, delay, reorder, drop, rot, "
		     "seed, log", name);
}

/**
 * chaos_parse() - read the option's argument
 * @options: gets what it says
 * @arg: the argument; is cut into pieces, which stay in use
 *
 * Return: NULL, or what is wrong with it.
 */
const char *chaos_parse(struct chaos_options *options, char *arg)
{
	const char *error = NULL;
	char *option, *value;

	while (!error && (option = strsep(&arg, ","))) {
		value = strchr(option, '=');
		if (!value || !value[1])
			return wrong("\"%s\" is not NAME=VALUE", option);
		*value++ = '\0';
		error = parse_one(options, option, value);
	}
	return error;
}

/* Whether anything is to go wrong. */
bool chaos_wanted(const struct chaos_options *options)
{
	int kind;

	for (kind = 0; kind < CHAOS_KINDS; kind++) {
		if (options->chance[kind])
			return true;
	}
	return false;
}
