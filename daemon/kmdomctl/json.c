// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include "json.h"

static int json_depth;
static bool json_first = true;

static void json_put_string(const char *value)
{
	putchar('"');
	for (; *value; value++) {
		unsigned char c = *value;

		if (c == '"' || c == '\\' || c < ' ')
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void json_name(const char *name)
{
	if (!json_first)
		putchar(',');
	if (json_depth)
		printf("\n%*s", json_depth * 2, "");
	json_first = false;
	if (name) {
		json_put_string(name);
		fputs(": ", stdout);
	}
}

void json_begin(const char *name, char bracket)
{
	json_name(name);
	putchar(bracket);
	json_depth++;
	json_first = true;
}

void json_end(char bracket)
{
	json_depth--;
	if (!json_first)
		printf("\n%*s", json_depth * 2, "");
	json_first = false;
	putchar(bracket);
	if (!json_depth) {
		putchar('\n');
		json_first = true;
	}
}

void json_string(const char *name, const char *value)
{
	json_name(name);
	json_put_string(value);
}

void json_number(const char *name, uint64_t value)
{
	json_name(name);
	printf("%llu", (unsigned long long)value);
}

void json_bool(const char *name, bool value)
{
	json_name(name);
	fputs(value ? "true" : "false", stdout);
}
