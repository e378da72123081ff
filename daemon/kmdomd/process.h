/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the process does to itself, so that it can serve when memory is short;
 * signals, and word to the service manager.
 */
#ifndef KMDOMD_PROCESS_H
#define KMDOMD_PROCESS_H

#include <stdbool.h>

int process_lock_memory(void);
bool process_sees_all(void);
void process_become_flusher(void);
int process_signals(void);
int process_next_signal(void);
void process_notify(const char *state);	/* sd_notify(3) */

#endif /* KMDOMD_PROCESS_H */
