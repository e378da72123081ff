// SPDX-License-Identifier: GPL-2.0
/*
 * kmdomctl inspect: what is in records, or why they are broken.
 *
 * The checks are the kernel's own: the module's decoder is built in, and gets
 * the type's schema from the kernel or from a file.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/unaligned.h>
#include <core/entry.h>
#include <core/table_type.h>
#include "inspect.h"
#include "json.h"
#include "kmdomctl.h"

struct inspect_args {
	struct type_source source;
	uint64_t index;		/* 0: any */
	uint64_t version;	/* 0: any */
};

static const struct option inspect_options[] = {
	{ "schema", required_argument, NULL, 's' },
	{ "index", required_argument, NULL, 'i' },
	{ "at-version", required_argument, NULL, 'v' },
	{ }
};

static void inspect_parse(struct inspect_args *args, int argc, char **argv)
{
	int opt;

	*args = (struct inspect_args){};
	while ((opt = getopt_long(argc, argv, "", inspect_options, NULL)) != -1) {
		switch (opt) {
		case 's':
			args->source.file = optarg;
			break;
		case 'i':
			args->index = parse_number("index", optarg, KMDOM_INDEX_MAX);
			break;
		case 'v':
			args->version = parse_number("at-version", optarg,
						     KMDOM_ENTRY_VALUE_MAX);
			break;
		default:
			usage_error();
		}
	}
	if (optind == argc)
		usage_error();
}

static int inspect_read(struct inspection *insp)
{
	FILE *file = fopen(insp->path, "re");
	int ret;

	if (!file)
		return -errno;
	insp->len = fread(insp->buf, 1, KMDOM_RECORD_MAX + 1, file);
	ret = ferror(file) ? -EIO : 0;
	fclose(file);
	return ret;
}

/* A number that no page can have is not expected of any. */
static u64 possible(__le64 told, u64 min, u64 max)
{
	u64 value = le64_to_cpu(told);

	return value >= min && value <= max ? value : max;
}

/* What the record has to be the record of: what its header says, unless told. */
static void inspect_expect(struct inspection *insp, const struct inspect_args *args)
{
	const struct kmdom_record *rec = (const void *)insp->buf;
	struct kmdom_record_id *id = &insp->expected;

	memcpy(id->domain, rec->domain, sizeof(id->domain));
	id->level = rec->level <= KMDOM_LEVELS ? rec->level : 0;
	insp->one_index = args->index;
	insp->one_version = args->version;
	/* There is no page 0 of objects. */
	id->index = args->index ?: possible(rec->index, !id->level,
					    kmdom_table_index(KMDOM_INDEX_MAX, id->level));
	id->version = args->version ?: possible(rec->version, 1, KMDOM_ENTRY_VALUE_MAX);
}

/* The check writes headers anew: of a copy. */
static enum kmdom_reject inspect_header(const struct inspection *insp,
					const struct kmdom_schema *schema)
{
	u8 copy[sizeof(insp->buf)] __aligned(8);

	memcpy(copy, insp->buf, sizeof(copy));
	return kmdom_record_check(schema, &insp->expected, copy, insp->len);
}

/* As far as it can be told without the type: KMDOM_REJECT_TYPE is good news. */
static enum kmdom_reject inspect_without_type(const struct inspection *insp)
{
	const struct kmdom_record *rec = (const void *)insp->buf;
	const struct kmdom_type none = { .policy = rec->policy };
	const struct kmdom_schema schema = { .type = &none, .hash = ~le64_to_cpu(rec->type) };

	return inspect_header(insp, &schema);
}

static enum kmdom_reject inspect_with_type(struct inspection *insp)
{
	const struct kmdom_schema *schema = &insp->known->schema;
	enum kmdom_reject why;

	why = inspect_header(insp, schema);
	/* There are no records of what is never exported. */
	if (!why && schema->type->policy == KMDOM_POLICY_DISCARD)
		why = KMDOM_REJECT_POLICY;
	if (why || schema->type->policy == KMDOM_POLICY_SEALED)
		return why;
	why = kmdom_record_decode_where(schema, insp->buf, insp->len, insp->page,
					insp->live, &insp->where);
	insp->decoded = !why;
	return why;
}

/* Tables have one type in all domains, which is no cache's. */
static int table_find(struct known_type *known)
{
	memset(known, 0, sizeof(*known));
	known->type = kmdom_table_type;
	return kmdom_schema_init(&known->schema, &known->type);
}

/*
 * Of a page of objects: their type is one of the domain's. Returns 0 if it is
 * known whether the record is broken, else a negative errno of type_find().
 */
static int inspect_judge(struct inspection *insp, const struct inspect_args *args,
			 struct known_type *known)
{
	const struct kmdom_record *rec = (const void *)insp->buf;
	int ret;

	inspect_expect(insp, args);
	insp->why = inspect_without_type(insp);
	if (insp->why != KMDOM_REJECT_TYPE)
		return 0;
	ret = insp->expected.level ? table_find(known) :
	      type_find(&args->source, rec->domain, le64_to_cpu(rec->type), known);
	switch (ret) {
	case 0:
		insp->known = known;
		insp->why = inspect_with_type(insp);
		return 0;
	case -EXDEV:
		insp->why = KMDOM_REJECT_DOMAIN;
		return 0;
	case -ENOENT:
		return 0;
	default:
		return ret;
	}
}

/* Tells why nothing can be told; returns the exit status. */
static int inspect_failed(const struct inspect_args *args, const char *path, int err)
{
	const char *text = type_explain(err);

	if (text)
		return fail_saying(text, err, path);
	return args->source.file ? fail_saying(strerror(-err), err, args->source.file) :
				   fail(KMDOM_CALL_INFO, err, path);
}

static int inspect_one(const struct inspect_args *args, const char *path)
{
	struct inspection *insp = calloc(1, sizeof(*insp));
	struct known_type *known = calloc(1, sizeof(*known));
	int ret, status;

	if (!insp || !known) {
		status = fail_saying(strerror(ENOMEM), ENOMEM, path);
		goto out;
	}
	insp->path = path;
	ret = inspect_read(insp);
	if (ret) {
		status = fail_saying(strerror(-ret), ret, path);
		goto out;
	}
	ret = inspect_judge(insp, args, known);
	if (ret) {
		status = inspect_failed(args, path, ret);
		goto out;
	}
	inspect_print(insp);
	status = insp->why ? EXIT_FAILURE : EXIT_SUCCESS;
out:
	free(known);
	free(insp);
	return status;
}

int command_inspect(int argc, char **argv)
{
	struct inspect_args args;
	int status = EXIT_SUCCESS;

	inspect_parse(&args, argc, argv);
	if (json_output)
		json_begin(NULL, '[');
	for (; optind < argc; optind++)
		status |= inspect_one(&args, argv[optind]);
	if (json_output)
		json_end(']');
	return status;
}
