/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Words for numbers of the interface.
 */
#ifndef KMDOMCTL_WORDS_H
#define KMDOMCTL_WORDS_H

#include <stdint.h>
#include <kmdom/kmdom.h>

#define UUID_TEXT	37	/* with the final NUL */

void uuid_text(const uint8_t uuid[16], char text[UUID_TEXT]);
int uuid_parse(const char *text, uint8_t uuid[16]);

/* Of a number that is not known: "unknown". */
const char *policy_word(unsigned int policy);
const char *policy_sentence(unsigned int policy);
const char *kind_word(unsigned int kind);
const char *reject_word(unsigned int why);
const char *reject_sentence(unsigned int why);

/* The other way round; -1 if there is no such word. */
int policy_number(const char *word);
int kind_number(const char *word);

#endif /* KMDOMCTL_WORDS_H */
