// SPDX-License-Identifier: GPL-2.0
/*
 * kmdom_bench - measures, in the kernel, what a client of kmdom and its peers do
 *
 * For make bench, and for root alone. Under an emulator that counts instructions the
 * clock does: one nanosecond each.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/tick.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include "../mark.h"
#include "bench.h"

#define KB_COUNT_MAX	(1U << 22)
#define KB_FILL_MAX	(1U << 22)

static const kb_work_fn works[KB_WORKS] = {
	[KB_ALLOC_KMDOM] = kb_alloc_kmdom,
	[KB_ALLOC_KMEM] = kb_alloc_kmem,
	[KB_BATCH_KMDOM] = kb_batch_kmdom,
	[KB_BATCH_KMEM] = kb_batch_kmem,
	[KB_PIN_KMDOM] = kb_pin_kmdom,
	[KB_PIN_HOT_KMDOM] = kb_pin_hot_kmdom,
	[KB_PIN_ATOMIC] = kb_pin_atomic,
	[KB_PIN_SRCU] = kb_pin_srcu,
	[KB_DIRTY] = kb_dirty,
	[KB_FAULT] = kb_fault,
	[KB_SEAL] = kb_seal,
	[KB_UNSEAL] = kb_unseal,
	[KB_COPY] = kb_copy,
	[KB_NOTHING_SHARED] = kb_nothing_shared,
};

/* Works that several threads may do at a time. */
static const bool together[KB_WORKS] = {
	[KB_ALLOC_KMDOM] = true,
	[KB_PIN_KMDOM] = true,
	[KB_DIRTY] = true,
	[KB_NOTHING_SHARED] = true,
};

static int bench_domain(struct kb_bench *bench, void __user *arg)
{
	struct kb_domain domain;
	int ret;

	if (copy_from_user(&domain, arg, sizeof(domain)))
		return -EFAULT;
	if (strnlen(domain.name, sizeof(domain.name)) == sizeof(domain.name) ||
	    strnlen(domain.aead, sizeof(domain.aead)) == sizeof(domain.aead) ||
	    domain.trim > 1 || domain.reserved)
		return -EINVAL;
	/* One try: what it has begun ends with the file. */
	if (bench->floors.aead)
		return -EBUSY;
	ret = kb_floors_open(bench, domain.aead);
	return ret ?: kb_objects_open(bench, domain.name, domain.trim);
}

static int bench_fill(struct kb_bench *bench, void __user *arg)
{
	struct kb_fill fill;

	if (copy_from_user(&fill, arg, sizeof(fill)))
		return -EFAULT;
	if (fill.count > KB_FILL_MAX || fill.reserved)
		return -EINVAL;
	return bench->pages ? kb_objects_fill(bench, fill.count) : -ENOENT;
}

static int bench_add(struct kb_bench *bench, void __user *arg)
{
	struct kb_add add;
	int ret;

	if (copy_from_user(&add, arg, sizeof(add)))
		return -EFAULT;
	if (!add.count || add.count > KB_FILL_MAX || bench->nr_refs > KB_FILL_MAX - add.count)
		return -EINVAL;
	ret = bench->pages ? kb_objects_add(bench, &add) : -ENOENT;
	if (!ret && copy_to_user(arg, &add, sizeof(add)))
		ret = -EFAULT;
	return ret;
}

static int run_alone(struct kb_bench *bench, struct kb_run *run)
{
	ktime_t begin;
	int ret;

	if (down_write_killable(&bench->lock))
		return -EINTR;
	bench->besides = 0;
	begin = ktime_get();
	/* Pages are made dirty for what a row is about. */
	if (run->work != KB_DIRTY)
		MARK_BEGIN();
	ret = bench->pages ? works[run->work](bench, run->count) : -ENOENT;
	if (run->work != KB_DIRTY)
		MARK_END();
	run->ns = ktime_to_ns(ktime_sub(ktime_sub(ktime_get(), begin), bench->besides));
	up_write(&bench->lock);
	return ret;
}

static int run_together(struct kb_bench *bench, struct kb_run *run)
{
	ktime_t begin;
	int ret;

	if (down_read_killable(&bench->lock))
		return -EINTR;
	begin = ktime_get();
	MARK_BEGIN();
	ret = bench->pages ? works[run->work](bench, run->count) : -ENOENT;
	MARK_END();
	run->ns = ktime_to_ns(ktime_sub(ktime_get(), begin));
	up_read(&bench->lock);
	return ret;
}

static int bench_run(struct kb_bench *bench, void __user *arg)
{
	struct kb_run run;
	int ret;

	if (copy_from_user(&run, arg, sizeof(run)))
		return -EFAULT;
	if (run.work >= KB_WORKS || !run.count || run.count > KB_COUNT_MAX)
		return -EINVAL;
	ret = together[run.work] ? run_together(bench, &run) : run_alone(bench, &run);
	if (!ret && copy_to_user(arg, &run, sizeof(run)))
		ret = -EFAULT;
	return ret;
}

static int bench_busy(void __user *arg)
{
	struct kb_busy busy = { 0 };
	u64 now, idle, iowait;
	int cpu;

	for_each_online_cpu(cpu) {
		idle = get_cpu_idle_time_us(cpu, &now);
		/* Nothing to run either: io_uring's waits count as such. */
		iowait = get_cpu_iowait_time_us(cpu, NULL);
		/* All ones where the tick does not stop. */
		if (idle == U64_MAX || iowait == U64_MAX)
			return -EOPNOTSUPP;
		busy.ns += (now - idle - iowait) * NSEC_PER_USEC;
	}
	return copy_to_user(arg, &busy, sizeof(busy)) ? -EFAULT : 0;
}

static long bench_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct kb_bench *bench = file->private_data;
	void __user *user = (void __user *)arg;
	long ret = -ENOTTY;

	if (cmd == KB_IOC_RUN)
		return bench_run(bench, user);
	if (down_write_killable(&bench->lock))
		return -EINTR;
	switch (cmd) {
	case KB_IOC_DOMAIN:
		ret = bench_domain(bench, user);
		break;
	case KB_IOC_FILL:
		ret = bench_fill(bench, user);
		break;
	case KB_IOC_ADD:
		ret = bench_add(bench, user);
		break;
	case KB_IOC_BUSY:
		ret = bench_busy(user);
		break;
	}
	up_write(&bench->lock);
	return ret;
}

static int bench_open(struct inode *inode, struct file *file)
{
	struct kb_bench *bench;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	bench = kzalloc(sizeof(*bench), GFP_KERNEL);
	if (!bench)
		return -ENOMEM;
	init_rwsem(&bench->lock);
	file->private_data = bench;
	return 0;
}

static int bench_release(struct inode *inode, struct file *file)
{
	struct kb_bench *bench = file->private_data;

	kb_objects_close(bench);
	kb_floors_close(bench);
	kfree(bench);
	return 0;
}

static const struct file_operations bench_fops = {
	.owner = THIS_MODULE,
	.open = bench_open,
	.release = bench_release,
	.unlocked_ioctl = bench_ioctl,
};

static struct miscdevice bench_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kmdom_bench",
	.mode = 0600,
	.fops = &bench_fops,
};

module_misc_device(bench_device);

MODULE_DESCRIPTION("Measures kmdom and its peers");
MODULE_LICENSE("GPL");
