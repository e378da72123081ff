/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kmdomctl: a file a subcommand, a table of them in main.c.
 */
#ifndef KMDOMCTL_H
#define KMDOMCTL_H

#include <stdbool.h>
#include <stdint.h>
#include <kmdom/kmdom.h>

#define EXIT_USAGE	2

struct command {
	const char *name;
	const char *usage;	/* what stands behind the name */
	const char *help;
	int (*run)(int argc, char **argv);	/* argv[0] is the name; exit status */
};

/* main.c: what all subcommands share */
extern bool json_output;

int open_device(void);	/* a descriptor, or -1 when the reason was told */
int fail_saying(const char *text, int err, const char *name);
int fail(enum kmdom_call call, int err, const char *name);
__attribute__((noreturn)) void usage_error(void);
uint64_t parse_number(const char *option, const char *arg, uint64_t max);
const char *parse_domain(int argc, char **argv);

/* info.c */
void print_info(const struct kmdom_info *info, bool long_form);

int command_create(int argc, char **argv);
int command_list(int argc, char **argv);
int command_stat(int argc, char **argv);
int command_adopt(int argc, char **argv);
int command_abort(int argc, char **argv);
int command_destroy(int argc, char **argv);
int command_schema(int argc, char **argv);
int command_inspect(int argc, char **argv);
int command_features(int argc, char **argv);

#endif /* KMDOMCTL_H */
