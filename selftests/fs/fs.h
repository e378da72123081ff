/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the file system's tests stand on: a mount that a script made (mount.sh),
 * told by KMDOMFS_DIR and KMDOMFS_DOMAIN, and an empty directory in it.
 */
#ifndef FS_TEST_FS_H
#define FS_TEST_FS_H

#include "files.h"
#include "kselftest_harness.h"
#include "scale.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	1200

FIXTURE(fs)
{
	char dir[300];
};

FIXTURE_SETUP(fs)
{
	const char *mount = getenv("KMDOMFS_DIR");

	ASSERT_NE(NULL, mount) TH_LOG("KMDOMFS_DIR is not set");
	snprintf(self->dir, sizeof(self->dir), "%s/test.XXXXXX", mount);
	ASSERT_NE(NULL, mkdtemp(self->dir));
	ASSERT_EQ(0, chmod(self->dir, 0755));
	ASSERT_EQ(0, chdir(self->dir));
	umask(022);
}

FIXTURE_TEARDOWN(fs)
{
	char command[400];

	ASSERT_EQ(0, chdir("/"));
	snprintf(command, sizeof(command), "rm -rf '%s'", self->dir);
	ASSERT_EQ(0, system(command));
}

#endif /* FS_TEST_FS_H */
