// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include "stress.h"

const char *const fault_names[FAULTS] = {
	[FAULT_FAIL] = "fail",
	[FAULT_CORRUPT] = "corrupt",
	[FAULT_FORGE] = "forge",
	[FAULT_DELAY] = "delay",
	[FAULT_REORDER] = "reorder",
	[FAULT_DROP] = "drop",
	[FAULT_ROT] = "rot",
};

/* The next line of a log of chaos; FAULTS at its end. */
static enum fault next_fault(FILE *file, unsigned int *level,
			     unsigned long long *page)
{
	unsigned long long version;
	char name[16];
	int fault;

	if (fscanf(file, "%15s %u %llu %llu", name, level, page, &version) != 4)
		return FAULTS;
	for (fault = 0; fault < FAULTS; fault++)
		if (!strcmp(name, fault_names[fault]))
			break;
	return fault;
}

/**
 * loss_explained() - did chaos lose a record of this page?
 * @log: of the tenant's chaos
 * @page: index of the page
 *
 * Return: whether it did
 */
bool loss_explained(const char *log, uint64_t page)
{
	FILE *file = fopen(log, "r");
	unsigned long long index;
	bool found = false;
	unsigned int level;
	enum fault fault;

	while (file && !found && (fault = next_fault(file, &level, &index)) != FAULTS)
		found = !level && index == page &&
			(fault == FAULT_DROP || fault == FAULT_ROT);
	if (file)
		fclose(file);
	return found;
}

/**
 * losses_count() - add up what chaos did
 * @log: of a tenant's chaos; need not be there
 * @counts: of each kind, added to
 */
void losses_count(const char *log, uint64_t counts[FAULTS])
{
	FILE *file = fopen(log, "r");
	unsigned long long index;
	unsigned int level;
	enum fault fault;

	while (file && (fault = next_fault(file, &level, &index)) != FAULTS)
		counts[fault]++;
	if (file)
		fclose(file);
}
