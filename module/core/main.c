// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - /dev/kmdom, and the module's beginning and end
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include "domain.h"
#include "netlink.h"
#include "paging.h"
#include "session.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#error "kmdom needs Linux 6.12 or newer"
#endif

#if PAGE_SIZE != KMDOM_FRAME_SIZE
#error "kmdom needs a kernel with pages of 4 KiB"
#endif

static bool kmdom_name_terminated(const char *name)
{
	return strnlen(name, KMDOM_NAME_MAX) < KMDOM_NAME_MAX && name[0];
}

static long kmdom_ioc_hello(struct file *file, void __user *user)
{
	struct kmdom_hello hello;
	u64 features = KMDOM_FEATURES;
	long ret = 0;

	if (copy_from_user(&hello, user, sizeof(hello)))
		return -EFAULT;
	if (hello.reserved)
		return -EINVAL;
	if (!IS_ENABLED(CONFIG_IO_URING))
		features &= ~KMDOM_FEATURE_URING;
	if (hello.abi != KMDOM_ABI_VERSION)
		ret = -EPROTO;
	else if (hello.features & ~features)
		ret = -EOPNOTSUPP;
	hello.abi = KMDOM_ABI_VERSION;
	hello.features = features;
	if (copy_to_user(user, &hello, sizeof(hello)))
		return -EFAULT;
	if (!ret)
		WRITE_ONCE(file->private_data, (void *)1UL);
	return ret;
}

static long kmdom_ioc_create(void __user *user)
{
	struct kmdom_create arg;
	int ret;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	ret = kmdom_domain_create(&arg);
	if (ret)
		return ret;
	/* The domain stays; it is found by name. */
	return copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : 0;
}

/*
 * The descriptor is made known last, when nothing can fail any more: until
 * then the file, and with it the session, goes away again.
 */
static long kmdom_adopt_install(struct kmdom_domain *dom,
				struct kmdom_adopt *arg, void __user *user)
{
	struct file *file;
	int fd, ret;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	ret = kmdom_session_adopt(dom, arg, &file);
	if (!ret && copy_to_user(user, arg, sizeof(*arg))) {
		fput(file);
		ret = -EFAULT;
	}
	if (ret) {
		put_unused_fd(fd);
		return ret;
	}
	fd_install(fd, file);
	return fd;
}

static long kmdom_ioc_adopt(void __user *user)
{
	struct kmdom_adopt arg;
	struct kmdom_domain *dom;
	long ret;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (!kmdom_name_terminated(arg.name))
		return -EINVAL;
	dom = kmdom_domain_lookup(arg.name);
	if (IS_ERR(dom))
		return PTR_ERR(dom);
	ret = kmdom_adopt_install(dom, &arg, user);
	kmdom_domain_unref(dom);
	return ret;
}

static long kmdom_ioc_end(void __user *user, bool even_with_clients)
{
	struct kmdom_name arg;
	struct kmdom_domain *dom;
	int ret;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (!kmdom_name_terminated(arg.name) || arg.flags || arg.reserved)
		return -EINVAL;
	dom = kmdom_domain_lookup(arg.name);
	if (IS_ERR(dom))
		return PTR_ERR(dom);
	ret = kmdom_domain_destroy(dom, even_with_clients);
	kmdom_domain_unref(dom);
	return ret;
}

static long kmdom_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;

	if (cmd == KMDOM_IOC_HELLO)
		return kmdom_ioc_hello(file, user);
	if (_IOC_TYPE(cmd) == KMDOM_IOC_MAGIC && !READ_ONCE(file->private_data))
		return -EPROTO;
	switch (cmd) {
	case KMDOM_IOC_CREATE:
		return kmdom_ioc_create(user);
	case KMDOM_IOC_ADOPT:
		return kmdom_ioc_adopt(user);
	case KMDOM_IOC_ABORT:
		return kmdom_ioc_end(user, true);
	case KMDOM_IOC_DESTROY:
		return kmdom_ioc_end(user, false);
	default:
		return -ENOTTY;
	}
}

/* private_data tells whether HELLO was said. */
static int kmdom_open(struct inode *inode, struct file *file)
{
	file->private_data = NULL;
	return 0;
}

static const struct file_operations kmdom_fops = {
	.owner = THIS_MODULE,
	.open = kmdom_open,
	.unlocked_ioctl = kmdom_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice kmdom_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kmdom",
	.fops = &kmdom_fops,
	.mode = 0666,
};

static int __init kmdom_init(void)
{
	int ret = kmdom_paging_init();

	if (ret)
		return ret;
	kmdom_wq = alloc_workqueue("kmdom", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!kmdom_wq)
		return -ENOMEM;
	ret = kmdom_netlink_init();
	if (ret)
		goto destroy_wq;
	ret = misc_register(&kmdom_device);
	if (ret)
		goto exit_netlink;
	return 0;

exit_netlink:
	kmdom_netlink_exit();
destroy_wq:
	destroy_workqueue(kmdom_wq);
	return ret;
}

/*
 * Every domain holds the module, so there is none left; what the last one
 * deferred is waited for here.
 */
static void __exit kmdom_exit(void)
{
	misc_deregister(&kmdom_device);
	kmdom_netlink_exit();
	rcu_barrier();
	destroy_workqueue(kmdom_wq);
}

module_init(kmdom_init);
module_exit(kmdom_exit);
MODULE_DESCRIPTION("Kernel memory, paged by the tenant that uses it");
MODULE_LICENSE("GPL");
