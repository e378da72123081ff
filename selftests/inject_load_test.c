// SPDX-License-Identifier: GPL-2.0
/*
 * The modules are loaded while each allocation of their beginning fails in turn, and
 * where a name that they register is taken: then they are not there, and nothing of
 * them stays.
 *
 * KMDOM_MODULES is the directory that they were built in. They are loaded already.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "harness.h"
#include "inject.h"

/* With all that a debugger wants a module takes long to be read. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	900

#define ERR(call)	((call) < 0 ? -errno : 0)

/**
 * struct module - one of them
 * @name: of it
 * @file: below KMDOM_MODULES
 * @image: what the file holds, once it was read
 * @size: of that
 */
struct module {
	const char *name;
	const char *file;
	void *image;
	size_t size;
};

static struct module core = { "kmdom", "module/core/kmdom.ko" };
static struct module fs = { "kmdomfs", "module/fs/kmdomfs.ko" };
static struct module client = { "kmdom_test", "selftests/module/kmdom_test.ko" };
static struct module taken = { "kmdom_taken", "selftests/module/kmdom_taken.ko" };

/* Before anything fails: afterwards it is the beginning alone that does. */
static int read_image(struct module *module)
{
	const char *dir = getenv("KMDOM_MODULES");
	char path[512];
	struct stat st;
	int fd, ret;

	if (!dir)
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/%s", dir, module->file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = ERR(fstat(fd, &st));
	if (!ret) {
		module->size = st.st_size;
		module->image = malloc(module->size);
		if (!module->image || read(fd, module->image, module->size) != st.st_size)
			ret = -EIO;
	}
	close(fd);
	return ret;
}

static int load_with(const struct module *module, const char *params)
{
	return ERR(syscall(SYS_init_module, module->image, module->size, params));
}

static long load(void *arg)
{
	return load_with(arg, "");
}

static bool is_word_of(const char *path, const char *word)
{
	FILE *file = fopen(path, "re");
	char text[128] = "";
	bool found = false;

	while (file && !found && fscanf(file, "%127s", text) == 1)
		found = !strcmp(text, word);
	if (file)
		fclose(file);
	return found;
}

/* What a module registers, by the files that show it. */
static int no_trace(const struct module *module)
{
	static const char *const files[] = {
		"/sys/module/%s", "/sys/class/misc/%s", "/sys/kernel/slab/%s_inode", "/dev/%s",
	};
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), files[i], module->name);
		if (!access(path, F_OK)) {
			printf("# there is %s\n", path);
			return -EEXIST;
		}
	}
	return is_word_of("/proc/filesystems", module->name) ||
	       is_word_of("/proc/misc", module->name) ? -EEXIST : 0;
}

static int unload(const struct module *module)
{
	return ERR(syscall(SYS_delete_module, module->name, O_NONBLOCK));
}

/* One that could do without what failed is there, and goes. */
static int check_load(void *arg, long ret)
{
	struct module *module = arg;

	return (ret ? 0 : unload(module)) ?: no_trace(module);
}

static int sweep(struct module *module)
{
	struct inject_sweep sweep = {
		.name = module->name, .run = load, .check = check_load, .arg = module,
		.errors = ERRORS(ENOMEM), .must = FAIL_SLAB, .may = FAIL_PAGE,
	};
	int ret = read_image(module) ?: inject_begin_init() ?: inject_sweep(&sweep);

	inject_end();
	return ret;
}

/* It is not loaded where somebody has a name of its own, with that error. */
static int refuses(struct module *module, const char *taken_params, int error)
{
	int ret = read_image(module) ?: read_image(&taken) ?: load_with(&taken, taken_params);
	int loaded;

	if (ret)
		return ret;
	loaded = load(module);
	ret = loaded ? 0 : unload(module);
	ret = unload(&taken) ?: ret ?: no_trace(module);
	return ret ?: loaded == -error ? 0 : loaded ?: -ENOENT;
}

TEST(kmdom)
{
	ASSERT_EQ(0, unload(&client));
	ASSERT_EQ(0, unload(&fs));
	ASSERT_EQ(0, unload(&core));
	EXPECT_EQ(0, no_trace(&client));
	EXPECT_EQ(0, no_trace(&fs));
	EXPECT_EQ(0, no_trace(&core));
	EXPECT_EQ(0, sweep(&core));
	EXPECT_EQ(0, refuses(&core, "family=1", EEXIST));
}

TEST(kmdomfs)
{
	ASSERT_EQ(0, read_image(&core));
	ASSERT_EQ(0, load(&core));
	EXPECT_EQ(0, sweep(&fs));
	EXPECT_EQ(0, refuses(&fs, "", EBUSY));
}

TEST(clients_come_after_them)
{
	ASSERT_EQ(0, read_image(&fs));
	EXPECT_EQ(0, load(&fs));
	ASSERT_EQ(0, read_image(&client));
	EXPECT_EQ(0, load(&client));
}

int main(int argc, char **argv)
{
	return inject_main(argc, argv, test_harness_run);
}
