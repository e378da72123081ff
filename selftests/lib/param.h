/* SPDX-License-Identifier: GPL-2.0 */
/* Parameters of kmdom.ko, which are the machine's: who sets one puts it back. */
#ifndef KT_PARAM_H
#define KT_PARAM_H

long param_get(const char *name);
int param_set(const char *name, long value);

#endif /* KT_PARAM_H */
