// SPDX-License-Identifier: GPL-2.0
/* Clients of good objects, each in a helper process. */
#include <unistd.h>
#include "arena.h"

static int use_one(struct user *user, unsigned int nr)
{
	static struct kt_page page;
	int ret = kt_get(user->fd, user->op, KT_PAGE, user->good[nr], &page, sizeof(page));

	if (ret)
		return ret;
	ret = bytes_check(&page, sizeof(page), user->seeds[nr]);
	if (ret)
		return ret;
	atomic_fetch_add(&user->signals->verified, 1);
	bytes_fill(&page, sizeof(page), user->seeds[nr] + 1);
	ret = kt_set(user->fd, user->op, KT_PAGE, user->good[nr], &page, sizeof(page));
	user->seeds[nr] += !ret;
	return ret;
}

/* That its pager refuses what it has, or is late, a client must bear. */
long use(void *arg)
{
	struct user *user = arg;
	unsigned int nr = user->op;
	int ret = 0;

	while (!ret && !atomic_load(&user->signals->stop)) {
		if (atomic_load(&user->signals->rest)) {
			usleep(1000);
			continue;
		}
		ret = use_one(user, nr);
		if (ret == -EIO || ret == -ETIMEDOUT)
			ret = 0;
		nr = (nr + CLIENTS) % GOOD;
	}
	return ret;
}
