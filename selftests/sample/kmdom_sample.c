// SPDX-License-Identifier: GPL-2.0
/*
 * kmdom_sample - a client of kmdom, as small as one can be. Write a word to
 * /dev/kmdom_sample, and its counter goes up; each read gives one line, "WORD
 * COUNT". The counters are a list of objects in a domain, from the cache's
 * anchor on, so they are there again when the device is opened again. As long
 * as they are, this module stays.
 */
#include <linux/fs.h>
#include <linux/kmdom_client.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

struct counter {
	kmdom_ref next;
	u64 count;
	char word[48];
};

static const struct kmdom_field fields[] = {
	KMDOM_F_REF(struct counter, next, "sample_counter"),
	KMDOM_F_INT(struct counter, count, 0, 0),
	KMDOM_F_BYTES(struct counter, word, KMDOM_LEN_TRIM),
};

static const struct kmdom_type counter_type = {
	.name = "sample_counter", .owner = THIS_MODULE,
	.size = sizeof(struct counter), .policy = KMDOM_POLICY_SEALED,
	.nr_fields = ARRAY_SIZE(fields), .fields = fields,
};

static char *domain = "sample";
module_param(domain, charp, 0444);
static struct kmdom_domain *dom;	/* both of who has it open */
static struct kmdom_cache *cache;
static DEFINE_MUTEX(lock);	/* of the list; nobody needs it but writers */

/* One pin at a time: the pager may have any object that is not pinned. */
static int count_up(struct kmdom_client_op *op, const char *word)
{
	struct kmdom_pin pin = { .cache = cache, .write = true };
	struct counter *counter;
	kmdom_ref next;
	bool found;
	int ret;

	for (pin.ref = kmdom_cache_anchor(cache); pin.ref; pin.ref = next) {
		ret = kmdom_pin_set(op, &pin, 1, 0);	/* waits for the pager */
		if (ret)
			return ret;
		counter = pin.obj;
		found = !strcmp(counter->word, word);
		counter->count += found;
		next = counter->next;
		kmdom_unpin(op, &pin);
		if (found)
			return 0;
	}
	/* Memory for one object is waited for, then it is there. */
	ret = kmdom_pin_set(op, NULL, 0, 1) ?: kmdom_alloc(op, &pin);
	if (ret)
		return ret;
	counter = pin.obj;
	strscpy(counter->word, word, sizeof(counter->word));
	counter->count = 1;
	counter->next = kmdom_cache_anchor(cache);
	kmdom_cache_set_anchor(cache, pin.ref);
	kmdom_unpin(op, &pin);
	return 0;
}

static ssize_t sample_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	char word[48] = "";
	struct kmdom_client_op op;
	int ret;

	len = min(len, sizeof(word) - 1);
	if (copy_from_user(word, buf, len))
		return -EFAULT;
	if (mutex_lock_killable(&lock))
		return -EINTR;
	kmdom_op_begin(&op, dom, 0);
	ret = count_up(&op, word);
	kmdom_op_end(&op);
	mutex_unlock(&lock);
	return ret ?: len;
}

/* Between two reads the position is the ref that comes next; 1 is none. */
static ssize_t sample_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	kmdom_ref ref = *pos ? *pos : kmdom_cache_anchor(cache);
	struct kmdom_pin pin = { .ref = ref, .cache = cache };
	struct kmdom_client_op op;
	char line[80];
	ssize_t ret;

	if (!ref || *pos == 1)
		return 0;
	kmdom_op_begin(&op, dom, 0);
	ret = kmdom_pin_set(&op, &pin, 1, 0);
	if (!ret) {
		struct counter *counter = pin.obj;

		ret = scnprintf(line, min(len, sizeof(line)), "%.48s %llu\n",
				counter->word, counter->count);
		*pos = counter->next ?: 1;
		kmdom_unpin(&op, &pin);
	}
	kmdom_op_end(&op);
	return ret > 0 && copy_to_user(buf, line, ret) ? -EFAULT : ret;
}

/* One at a time: a cache that is attached is busy for all others. */
static int sample_open(struct inode *inode, struct file *file)
{
	struct kmdom_domain *d = kmdom_domain_find(domain);
	struct kmdom_cache *c = IS_ERR(d) ? ERR_CAST(d) :
				kmdom_cache_attach(d, &counter_type);

	if (IS_ERR(c) && !IS_ERR(d))
		kmdom_domain_put(d);
	if (IS_ERR(c))
		return PTR_ERR(c);
	dom = d;
	cache = c;
	return 0;
}

static int sample_release(struct inode *inode, struct file *file)
{
	struct kmdom_domain *d = dom;

	kmdom_cache_detach(cache);
	kmdom_domain_put(d);
	return 0;
}

static const struct file_operations sample_fops = {
	.owner = THIS_MODULE, .open = sample_open, .release = sample_release,
	.read = sample_read, .write = sample_write,
};

static struct miscdevice sample_device = {
	.minor = MISC_DYNAMIC_MINOR, .name = "kmdom_sample", .fops = &sample_fops,
};
module_misc_device(sample_device);
MODULE_LICENSE("GPL");
