// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Sentences for errors: what is wrong, and what to do next.
 */
#include <errno.h>
#include <string.h>
#include <kmdom/kmdom.h>

static const struct {
	enum kmdom_call call;
	int err;
	const char *text;
} explanations[] = {
	{ KMDOM_CALL_OPEN, ENOENT,
	  "there is no " KMDOM_DEVICE ": load the module first (modprobe kmdom)" },
	{ KMDOM_CALL_OPEN, ENXIO,
	  KMDOM_DEVICE " has no driver: load the module first (modprobe kmdom)" },
	{ KMDOM_CALL_OPEN, ENODEV,
	  KMDOM_DEVICE " has no driver: load the module first (modprobe kmdom)" },
	{ KMDOM_CALL_OPEN, EACCES,
	  "no permission to open " KMDOM_DEVICE ": ask the administrator, who "
	  "can open it to you with its mode or an ACL" },
	{ KMDOM_CALL_OPEN, EPROTO,
	  "the kernel module speaks another version: install tools and module "
	  "of the same release" },
	{ KMDOM_CALL_OPEN, EOPNOTSUPP,
	  "the kernel module lacks a feature that is needed: install a newer one" },
	{ KMDOM_CALL_CREATE, EEXIST,
	  "a domain of that name exists: adopt it, or choose another name" },
	{ KMDOM_CALL_CREATE, EPERM,
	  "a name with a slash is reserved: without CAP_SYS_ADMIN choose a name "
	  "without one (the domain will be called UID/NAME)" },
	{ KMDOM_CALL_CREATE, EDQUOT,
	  "this user has as many domains as the administrator allows: destroy "
	  "one, or ask for more (a parameter of the module kmdom)" },
	{ KMDOM_CALL_CREATE, EOPNOTSUPP,
	  "the kernel does not offer that AEAD: see /proc/crypto, or load its "
	  "module" },
	{ KMDOM_CALL_CREATE, EINVAL,
	  "a value is out of range: a name has 1 to 63 characters, a domain at "
	  "least 128 frames" },
	{ KMDOM_CALL_ADOPT, ENOENT,
	  "there is no such domain: see kmdomctl list, or create it with "
	  "kmdomctl create" },
	{ KMDOM_CALL_ADOPT, EPERM,
	  "not permitted: it is another user's domain, or this process is in no "
	  "memory cgroup with a limit (set memory.max, or with systemd "
	  "MemoryMax=)" },
	{ KMDOM_CALL_ADOPT, EBUSY,
	  "another session pages the domain: stop that pager, or take over from "
	  "it (--takeover)" },
	{ KMDOM_CALL_ADOPT, EDQUOT,
	  "the pool is too large: raise the limit of locked memory (ulimit -l, "
	  "or with systemd LimitMEMLOCK=) or take fewer frames; the domain's own "
	  "limit is its max-frames" },
	{ KMDOM_CALL_ADOPT, EINVAL,
	  "a value is out of range: a name has 1 to 63 characters, a pool at "
	  "least one frame, a deadline at most 60 seconds" },
	{ KMDOM_CALL_ADOPT, ENODEV,
	  "the domain is aborted: it cannot be adopted any more" },
	{ KMDOM_CALL_ADOPT, ENOMEM,
	  "no memory for the pool: take fewer frames, or raise memory.max of the "
	  "cgroup" },
	{ KMDOM_CALL_ABORT, ENOENT, "there is no such domain: see kmdomctl list" },
	{ KMDOM_CALL_ABORT, EPERM, "it is another user's domain" },
	{ KMDOM_CALL_DESTROY, ENOENT, "there is no such domain: see kmdomctl list" },
	{ KMDOM_CALL_DESTROY, EPERM, "it is another user's domain" },
	{ KMDOM_CALL_DESTROY, EBUSY,
	  "a client holds the domain: unmount it first, or abort the domain, "
	  "which loses what is in it" },
	{ KMDOM_CALL_INFO, EPROTONOSUPPORT,
	  "there is no netlink family kmdom: load the module first (modprobe "
	  "kmdom); it is seen in the first network namespace only" },
	{ KMDOM_CALL_INFO, ENOENT, "there is no such domain: see kmdomctl list" },
	{ KMDOM_CALL_INFO, EINVAL, "a name has 1 to 63 characters" },
	{ KMDOM_CALL_INFO, EPERM,
	  "it is another user's domain: CAP_NET_ADMIN sees all" },
	{ KMDOM_CALL_EXCHANGE, EOWNERDEAD,
	  "the session has ended: another pager took the domain over" },
	{ KMDOM_CALL_EXCHANGE, ENODEV, "the domain was aborted or destroyed" },
	{ KMDOM_CALL_URING, ENOSYS, "the kernel has no io_uring" },
	{ KMDOM_CALL_URING, EPERM,
	  "io_uring is switched off (sysctl kernel.io_uring_disabled)" },
	{ KMDOM_CALL_URING, EOPNOTSUPP,
	  "kmdom offers no exchange through io_uring on this kernel" },
};

/**
 * kmdom_explain() - a sentence for an error
 * @call: what was tried
 * @err: the errno, of either sign
 *
 * Return: A constant string: what is wrong and what to do about it; for
 * errors that need no more, strerror()'s.
 */
const char *kmdom_explain(enum kmdom_call call, int err)
{
	size_t i;

	if (err < 0)
		err = -err;
	for (i = 0; i < sizeof(explanations) / sizeof(*explanations); i++) {
		if (explanations[i].call == call && explanations[i].err == err)
			return explanations[i].text;
	}
	return strerror(err);
}
