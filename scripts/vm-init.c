// SPDX-License-Identifier: GPL-2.0
/*
 * vm-init - the init of the test VM (see scripts/vm)
 *
 * In the initramfs it is process 1: it loads the modules that reach the host's
 * root, puts a writable overlay above that root, moves there, runs one command
 * and reports how it ended through a virtio-serial port, before it powers the
 * machine off. It does not sync(), which would wait for a file system that hangs:
 * what is written to a share is written through. Under --systemd it moves there and
 * becomes systemd, which runs "vm-init run" as a unit; that does the second half.
 *
 * What to do comes from files in /vm, which scripts/vm adds to the initramfs:
 *   argv, env   NUL-separated; cwd; mode: "run", "tty" or "systemd"
 *   modules     the directory to show as /lib/modules/RELEASE, may be absent
 *   project     a directory to keep visible below the file systems made here
 *   shares      lines of "TAG PATH": 9p exports to mount writable
 *   winsize     "ROWS COLS" of the caller's terminal
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTS_9P		"trans=virtio,version=9p2000.L,msize=512000"
#define OPTS_OVERLAY	"lowerdir=/lower,upperdir=/upper/upper,workdir=/upper/work,volatile"
#define CONFIG_MAX	(256 * 1024)
#define ARGS_MAX	8192

static const char *config_dir = "/vm";

/* Without a status on its port scripts/vm takes the run as failed. */
static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	fprintf(stderr, "vm-init: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", strerror(err));
	fflush(stderr);
	reboot(RB_POWER_OFF);
	exit(1);
}

/* Returns the file's bytes, NUL-terminated, and their number; NULL if it is not there. */
static char *config_read(const char *name, size_t *len)
{
	static char path[4096];
	size_t used = 0;
	ssize_t n;
	char *buf;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", config_dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	buf = malloc(CONFIG_MAX + 1);
	if (!buf)
		die("malloc");
	while (used < CONFIG_MAX && (n = read(fd, buf + used, CONFIG_MAX - used)) > 0)
		used += n;
	close(fd);
	buf[used] = '\0';
	if (len)
		*len = used;
	return buf;
}

static char **config_strings(const char *name)
{
	char **list = calloc(ARGS_MAX + 1, sizeof(*list));
	char *p, *end, *buf;
	size_t len, i = 0;

	buf = config_read(name, &len);
	if (!list || !buf)
		die("no %s", name);
	for (p = buf, end = buf + len; p < end && i < ARGS_MAX; p += strlen(p) + 1)
		list[i++] = p;
	return list;
}

static bool config_mode_is(const char *mode)
{
	char *value = config_read("mode", NULL);
	bool same = value && !strcmp(value, mode);

	free(value);
	return same;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* The names begin with their number in the order of dependence. */
static void load_modules(void)
{
	struct dirent **names;
	char path[512];
	int i, n, fd;

	n = scandir("/modules", &names, not_hidden, by_name);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/modules/%s", names[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			die("%s", path);
		close(fd);
	}
}

static void make_dirs(const char *path)
{
	char *copy = strdup(path), *p;

	for (p = copy + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(copy, 0755);
		*p = '/';
	}
	mkdir(copy, 0755);
	free(copy);
}

static void mount_at(const char *type, const char *source, const char *target,
		     unsigned long flags, const char *opts)
{
	make_dirs(target);
	if (mount(source, target, type, flags, opts))
		die("mount %s on %s", type, target);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("write %s", path);
	close(fd);
}

static void assemble_root(void)
{
	mount_at("9p", "root", "/lower", MS_RDONLY, OPTS_9P ",cache=loose");
	mount_at("tmpfs", "tmpfs", "/upper", 0, "mode=755");
	make_dirs("/upper/upper");
	make_dirs("/upper/work");
	mount_at("overlay", "overlay", "/root", 0, OPTS_OVERLAY);
	/* This machine may be a container; the VM is none, and systemd asks. */
	unlink("/root/.dockerenv");
}

/* systemd makes these itself, but it keeps what it finds mounted. */
static void mount_kernel_filesystems(void)
{
	mount_at("proc", "proc", "/root/proc", 0, NULL);
	mount_at("sysfs", "sysfs", "/root/sys", 0, NULL);
	mount_at("devtmpfs", "devtmpfs", "/root/dev", 0, "mode=755");
	mount_at("devpts", "devpts", "/root/dev/pts", 0, "mode=620,ptmxmode=666");
	mount_at("tmpfs", "tmpfs", "/root/dev/shm", 0, "mode=1777");
	mount_at("tmpfs", "tmpfs", "/root/run", 0, "mode=755");
	mount_at("tmpfs", "tmpfs", "/root/tmp", 0, "mode=1777");
	mount_at("debugfs", "debugfs", "/root/sys/kernel/debug", 0, NULL);
	mount_at("tracefs", "tracefs", "/root/sys/kernel/tracing", 0, NULL);
	mount_at("cgroup2", "cgroup2", "/root/sys/fs/cgroup", 0, "nsdelegate");
	make_dirs("/root/run/lock");
	symlink("/proc/self/fd", "/root/dev/fd");
	symlink("/proc/self/fd/0", "/root/dev/stdin");
	symlink("/proc/self/fd/1", "/root/dev/stdout");
	symlink("/proc/self/fd/2", "/root/dev/stderr");
}

static void bind_mount(const char *source, const char *target)
{
	make_dirs(target);
	if (mount(source, target, NULL, MS_BIND | MS_REC, NULL))
		die("bind %s on %s", source, target);
}

/* A tree below /tmp or /run would be hidden by what was just mounted there. */
static void show_project(const char *project, int fd)
{
	char source[64], target[4096];

	snprintf(source, sizeof(source), "/root/proc/self/fd/%d", fd);
	snprintf(target, sizeof(target), "/root%s", project);
	bind_mount(source, target);
	close(fd);
}

static void show_modules(void)
{
	char *dir = config_read("modules", NULL);
	char source[4096], target[4096];
	struct utsname uts;

	if (!dir)
		return;
	uname(&uts);
	snprintf(source, sizeof(source), "/root%s", dir);
	snprintf(target, sizeof(target), "/root/usr/lib/modules/%s", uts.release);
	bind_mount(source, target);
}

static void mount_shares(void)
{
	char *list = config_read("shares", NULL);
	char *line, *save, *path, target[4096];

	if (!list)
		return;
	for (line = strtok_r(list, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		path = strchr(line, ' ');
		*path++ = '\0';
		snprintf(target, sizeof(target), "/root%s", path);
		mount_at("9p", line, target, 0, OPTS_9P ",cache=none");
	}
}

static void copy_file(const char *from, const char *to, mode_t mode)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	char buf[65536];
	ssize_t n;

	if (in < 0 || out < 0)
		die("copy %s to %s", from, to);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, n) != n)
			die("write %s", to);
	close(in);
	close(out);
}

/* The second half reads its orders from there, whoever runs it. */
static void copy_config(void)
{
	struct dirent **names;
	char from[512], to[512];
	int i, n;

	make_dirs("/root/run/vm");
	n = scandir("/vm", &names, not_hidden, by_name);
	for (i = 0; i < n; i++) {
		snprintf(from, sizeof(from), "/vm/%s", names[i]->d_name);
		snprintf(to, sizeof(to), "/root/run/vm/%s", names[i]->d_name);
		copy_file(from, to, 0644);
	}
	copy_file("/init", "/root/run/vm/init", 0755);
}

static void enter_root(void)
{
	if (chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		die("enter root");
	config_dir = "/run/vm";
}

static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr))
		die("loopback");
	close(fd);
}

/* Each by itself: a kernel may lack some. */
static void enable_controllers(void)
{
	static const char * const names[] = { "+memory", "+cpu", "+pids", "+io", "+cpuset" };
	int fd = open("/sys/fs/cgroup/cgroup.subtree_control", O_WRONLY | O_CLOEXEC);
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (write(fd, names[i], strlen(names[i])) < 0)
			fprintf(stderr, "vm-init: no cgroup controller %s\n", names[i]);
	close(fd);
}

static void set_limits(void)
{
	static const struct {
		int what;
		struct rlimit limit;
	} limits[] = {
		{ RLIMIT_NOFILE, { 1024, 524288 } },
		{ RLIMIT_MEMLOCK, { 8 << 20, 8 << 20 } },
		{ RLIMIT_CORE, { 0, RLIM_INFINITY } },
	};
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		setrlimit(limits[i].what, &limits[i].limit);
}

/* Opens the virtio-serial port with that name, as its number is the bus's affair. */
static int open_port(const char *name)
{
	char path[512], text[64] = "";
	struct dirent **ports;
	int i, n, fd;

	n = scandir("/sys/class/virtio-ports", &ports, not_hidden, by_name);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", ports[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		memset(text, 0, sizeof(text));
		if (read(fd, text, sizeof(text) - 1) < 0)
			text[0] = '\0';
		close(fd);
		text[strcspn(text, "\n")] = '\0';
		if (strcmp(text, name))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", ports[i]->d_name);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	die("port %s", name);
}

static int open_terminal(void)
{
	int fd = open("/dev/hvc0", O_RDWR | O_NOCTTY);
	char *size = config_read("winsize", NULL);
	struct winsize ws = { 0 };

	if (fd < 0 || ioctl(fd, TIOCSCTTY, 1))
		die("terminal");
	if (size && sscanf(size, "%hu %hu", &ws.ws_row, &ws.ws_col) == 2)
		ioctl(fd, TIOCSWINSZ, &ws);
	return fd;
}

static void __attribute__((noreturn)) run_child(void)
{
	char **argv = config_strings("argv"), **env = config_strings("env");
	char *cwd = config_read("cwd", NULL);
	int in, out;

	setsid();
	if (config_mode_is("tty")) {
		in = open_terminal();
		out = in;
	} else {
		in = open("/dev/null", O_RDONLY | O_CLOEXEC);
		out = open_port("kmdom.output");
	}
	set_limits();
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		die("dup2");
	if (cwd && chdir(cwd)) {
		fprintf(stderr, "vm-init: chdir %s: %s\n", cwd, strerror(errno));
		_exit(127);
	}
	environ = env;
	execvp(argv[0], argv);
	fprintf(stderr, "vm-init: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static unsigned long kernel_taint(void)
{
	unsigned long taint = 0;
	FILE *f = fopen("/proc/sys/kernel/tainted", "re");

	if (!f || fscanf(f, "%lu", &taint) != 1)
		die("tainted");
	fclose(f);
	return taint;
}

static void report_line(const char *line)
{
	int fd = open_port("kmdom.status");
	ssize_t len = strlen(line);

	if (write(fd, line, len) != len)
		die("status");
	close(fd);
}

/* The last line is exit|signal NUMBER TAINT. */
static void report(int status)
{
	char line[64];

	if (WIFEXITED(status))
		snprintf(line, sizeof(line), "exit %d %lu\n", WEXITSTATUS(status),
			 kernel_taint());
	else
		snprintf(line, sizeof(line), "signal %d %lu\n", WTERMSIG(status),
			 kernel_taint());
	report_line(line);
}

static void __attribute__((noreturn)) run(void)
{
	pid_t pid = fork(), ended;
	int status = 0;

	if (pid < 0)
		die("fork");
	if (!pid)
		run_child();
	do {
		ended = waitpid(-1, &status, 0);
	} while (ended != pid && (ended >= 0 || errno == EINTR));
	if (ended != pid)
		die("waitpid");
	report(status);
	reboot(RB_POWER_OFF);
	exit(1);
}

static const char unit[] =
	"[Unit]\n"
	"Description=The command of the test VM\n"
	"DefaultDependencies=no\n"
	"Requires=basic.target\n"
	"After=basic.target systemd-udevd.service\n"
	"Wants=dbus.socket\n"
	"[Service]\n"
	"ExecStart=/run/vm/init run\n"
	"Delegate=yes\n"
	"TasksMax=infinity\n";

static void __attribute__((noreturn)) become_systemd(void)
{
	static char name[] = "/lib/systemd/systemd";
	char *const argv[] = { name, NULL };

	make_dirs("/run/systemd/system");
	write_file("/run/systemd/system/vm-command.service", unit);
	execv(name, argv);
	die("%s", name);
}

static void boot(void)
{
	char *project = config_read("project", NULL);
	char path[4096];
	int fd;

	load_modules();
	assemble_root();
	snprintf(path, sizeof(path), "/root%s", project ? project : "/");
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die("%s", path);
	mount_kernel_filesystems();
	if (project)
		show_project(project, fd);
	show_modules();
	mount_shares();
	copy_config();
	enter_root();
	sethostname("kmdom-vm", 8);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "run")) {
		config_dir = "/run/vm";
		run();
	}
	if (getpid() != 1)
		return 1;
	boot();
	report_line("up 0 0\n");
	if (config_mode_is("systemd"))
		become_systemd();
	loopback_up();
	enable_controllers();
	run();
}
