/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writing JSON to standard output. Commas come by themselves.
 */
#ifndef KMDOMCTL_JSON_H
#define KMDOMCTL_JSON_H

#include <stdbool.h>
#include <stdint.h>

void json_begin(const char *name, char bracket);	/* '{' or '['; name may be NULL */
void json_end(char bracket);				/* '}' or ']' */
void json_string(const char *name, const char *value);
void json_number(const char *name, uint64_t value);
void json_bool(const char *name, bool value);

#endif /* KMDOMCTL_JSON_H */
