/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A domain whose pager is the test's: it takes all pages away and brings them back
 * when it is told to, and refuses a fault. One in a program.
 */
#ifndef FS_TEST_ABSENT_H
#define FS_TEST_ABSENT_H

int absent_begin(const char *domain);
int absent_end(const char *domain);

int absent_preempt(const char *domain);
int absent_bring(void);
unsigned int absent_faults(void);
void absent_refuse(unsigned int nth);

#endif /* FS_TEST_ABSENT_H */
