/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kmdom.pml - one page of a domain, between its clients and its pager
 *
 * For Spin; scripts/model runs it. Two clients read, write and free the object
 * of a page, and wait when it is absent or frozen; one of them may be killed in
 * its wait. Two threads of the pager export, evict, restore and refuse it, and
 * answer with any record as that of any version; another session takes over,
 * whose threads they become. The steps are those of paging.c, restore.c, wait.c,
 * events.c and slab.c. What nobody can look into, because of a lock or because it
 * touches nothing that others see, is one step.
 *
 * What must hold:
 *  - no lost update: what a client reads under its pin is what was written last;
 *  - no stale record is accepted;
 *  - of what is absent, and of what EXPORT calls clean, the session has the record;
 *  - what is encoded or used stays where it is meanwhile;
 *  - no deadlock, and every waiter is served or failed: each run comes to an end
 *    (all that can begin anew is counted), and then no client waits. Deadlines would
 *    hide a waiter that nobody will wake, so there are none;
 *  - who frees a page gets on, though a pager freezes it again and again: with
 *    -DENDLESS, where that is not counted, under weak fairness.
 *
 * Of each copy of the page the model knows only whether it is the last word: who
 * writes makes all the others old.
 *
 * A guard that is switched off (-DNO_GUARD_name) must make the model fail. So
 * what other guards make needless is not in it: marks that EXPORT clears besides
 * the version, the clean page that EVICT looks for before it freezes, that EXPORT
 * leaves a clean page alone (to make another record of it is only needless), the
 * version in a record's header, which the tag covers, that a page is present whose
 * version is the one asked for (0, if it is not). Nor are a lack of frames, pin sets
 * of several pages and the right of the oldest of them (its page is evicted like
 * any), abort, and memory that is not sequentially consistent.
 */

/* Whether a guard was switched off, as the kernel's IS_ENABLED() knows it. */
#define PLACEHOLDER_1			0,
#define SECOND(first, second, ...)	second
#define DEFINED_3(placeholder)		SECOND(placeholder 1, 0)
#define DEFINED_2(value)		DEFINED_3(PLACEHOLDER_##value)
#define DEFINED_1(value)		DEFINED_2(value)
#define OFF(name)			DEFINED_1(NO_GUARD_##name)
#define GUARD(name, condition)		(OFF(name) || (condition))

#ifndef OPS
#define OPS	1	/* of each client */
#endif
#ifndef BUDGET
#define BUDGET	4	/* operations that the pager begins unasked */
#endif
#ifndef KILLS
#define KILLS	0
#endif
#define VERSIONS 2	/* EXPORT fails when they are spent */
#define NOBODY	2

mtype = { EMPTY, PRESENT, ABSENT, LOST };
mtype = { NOT_YET, GRANTED, FAILED };

/* The entry: its value is the frame or the version. */
mtype state = EMPTY;
byte value;

/* A frame without a page is another page's, whose pins are not counted here. */
typedef frame {
	bit fresh;
	byte readers;
	byte writers;
	bit freeze_write;
	bit freeze_all;
	bit ending;	/* somebody waits to free the page */
	bit ours;	/* its descriptor names our page */
};
frame frames[2];

/* The marks of the frame that the page is in. */
bit dirty;
byte version, spent, clean_for;

byte last_version;
byte session = 1;
byte inside;		/* threads between enter and leave */

/* Records, by version: made, with the last word, and in the pager's store. */
bit sealed[VERSIONS + 1], record_fresh[VERSIONS + 1], stored[VERSIONS + 1];
bit decoded_fresh[2];	/* by thread */

/* Waiters, by client. */
bit waits[2], writes[2], leads[2], shown[2];
mtype done[2] = NOT_YET;
byte first = NOBODY;

byte kills = KILLS, budget = BUDGET;

bit freeing[2];		/* by client */

#ifdef ENDLESS
ltl frees { [] (freeing[0] -> <> !freeing[0]) && [] (freeing[1] -> <> !freeing[1]) }
#endif

#define frozen(f)	(frames[f].freeze_write || frames[f].freeze_all)
#define pinned(f)	(frames[f].readers || frames[f].writers)
#define can_freeze(f)	(!frozen(f) && GUARD(FREEZE_ENDING, !frames[f].ending))
#define can_pin(f, write) \
	(GUARD(PIN_ALL, !frames[f].freeze_all) && \
	 GUARD(PIN_WRITE, !(write) || !frames[f].freeze_write))
#define clean(s) \
	(GUARD(CLEAN_VERSION, version) && GUARD(CLEAN_DIRTY, !dirty) && \
	 GUARD(CLEAN_SESSION, clean_for == s))

/* The one setter of an entry's state: the calls of it are the model's edges. */
inline set_state(from, to)
{
	assert(state == from);
	state = to
}

inline pin(f, write)
{
	if
	:: write -> frames[f].writers++
	:: else -> frames[f].readers++
	fi
}

inline unpin(f, write)
{
	if
	:: write -> frames[f].writers--
	:: else -> frames[f].readers--
	fi
}

/* Under the pin, before the pointer is out. */
inline pin_mark(write)
{
	if
	:: write && !OFF(PIN_MARKS) -> dirty = 1
	:: else
	fi
}

/* A want goes away; if it led, the other one does now. */
inline waiter_remove(c)
{
	waits[c] = 0;
	if
	:: leads[c] && waits[1 - c] && !OFF(HEIR) ->
		leads[1 - c] = 1;
		shown[1 - c] = shown[c]
	:: else
	fi;
	leads[c] = 0;
	shown[c] = 0;
	first = (waits[1 - c] -> 1 - c : NOBODY)
}

inline waiter_finish(c, how)
{
	waiter_remove(c);
	done[c] = how
}

inline waiter_try(c)
{
	if
	:: waits[c] && state == PRESENT && can_pin(value, writes[c]) ->
		pin(value, writes[c]);
		pin_mark(writes[c]);
		waiter_finish(c, GRANTED)
	:: waits[c] && (state == EMPTY || state == LOST) ->
		waiter_finish(c, FAILED)
	:: else
	fi
}

inline waiter_refuse(c)
{
	if
	:: waits[c] -> waiter_finish(c, FAILED)
	:: else
	fi
}

/* Of the wants of an absent page one leads, of any other none. */
inline events_update()
{
	if
	:: state == ABSENT && first != NOBODY && !leads[0] && !leads[1] ->
		leads[first] = 1
	:: state != ABSENT ->
		leads[0] = 0;
		leads[1] = 0;
		shown[0] = 0;
		shown[1] = 0
	:: else
	fi
}

inline page_changed()
{
	events_update();
	waiter_try(0);
	waiter_try(1)
}

/* A step that is a guard. */
#define UNLESS_OFF(name, step) \
	if \
	:: OFF(name) \
	:: else -> step \
	fi

/* The frame becomes another page's; the marks are nobody's. */
inline frame_leave(f)
{
	frames[f].fresh = 0;
	frames[f].freeze_all = 0;
	frames[f].ending = 0;
	frames[f].ours = 0;
	version = 0;
	spent = 0;
	clean_for = 0;
	dirty = 0
}

/* All other copies are old now. */
inline write_page(f)
{
	frames[f].fresh = 1;
	record_fresh[1] = 0;
	record_fresh[2] = 0;
	decoded_fresh[0] = 0;
	decoded_fresh[1] = 0
}

proctype client(byte me)
{
	byte ops = OPS, f;

	/* Who made the page has it pinned for writing. */
	if
	:: me == 0 -> goto use
	:: else
	fi;
next:
	atomic {
		f = 0;
		writes[me] = 0;
		if
		:: !ops -> goto out
		:: ops -> ops--
		:: ops -> ops--; writes[me] = 1
		:: ops -> ops--; freeing[me] = 1; goto free
		fi
	}
look:
	atomic {
		if
		:: state == PRESENT -> f = value
		:: state == ABSENT -> goto wait
		:: else -> goto next
		fi
	}
	atomic {
		if
		:: can_pin(f, writes[me]) -> pin(f, writes[me])
		:: else -> goto wait
		fi
	}
	/* The frame may have become another page's before it was pinned. */
	atomic {
		if
		:: GUARD(PIN_LOOKS, frames[f].ours) -> pin_mark(writes[me])
		:: else -> unpin(f, writes[me]); goto look
		fi
	}
use:
	atomic {
		assert(state == PRESENT && value == f);
		if
		:: writes[me] -> write_page(f)
		:: else -> assert(frames[f].fresh)
		fi;
		unpin(f, writes[me]);
		goto next
	}

wait:
	atomic {
		f = 0;
		waits[me] = 1;
		if
		:: first == NOBODY -> first = me
		:: else
		fi;
		/* The page may have come since it was looked for. */
		UNLESS_OFF(WAIT_TRIES, waiter_try(me));
		events_update()
	}
	atomic {
		if
		:: done[me] == GRANTED -> done[me] = NOT_YET; f = value; goto use
		:: done[me] == FAILED -> done[me] = NOT_YET; goto next
		:: done[me] == NOT_YET && kills -> kills--; waiter_remove(me); goto next
		fi
	}

free:
	/* Past pins, which end by themselves, and what had frozen the page before. */
	atomic {
		if
		:: state == EMPTY -> freeing[me] = 0; goto next
		:: state == PRESENT && GUARD(FREE_PINS, !pinned(value)) &&
		   GUARD(FREE_FROZEN, !frozen(value)) ->
			frame_leave(value);
			set_state(PRESENT, EMPTY)
		:: state == ABSENT -> set_state(ABSENT, EMPTY)
		:: state == LOST -> set_state(LOST, EMPTY)
		:: state == PRESENT && (pinned(value) || frozen(value)) && !OFF(FREE_ENDS) &&
		   !frames[value].ending ->
			frames[value].ending = 1;
			goto free
		fi;
		freeing[me] = 0;
		value = 0
	}
	atomic {
		UNLESS_OFF(FREE_TELLS, page_changed());
		goto next
	}
out:
	skip
}

/* A step of a session that has ended fails. */
#define may_enter	GUARD(FENCE, my == session)
#define may_begin	(budget && may_enter)

/* First steps of operations; what fails in them changes nothing, and is left out. */
#define may_freeze_write \
	(GUARD(EXPORT_STATE, state == PRESENT) && \
	 GUARD(EXPORT_FROZEN, can_freeze(value)) && \
	 GUARD(EXPORT_WRITERS, !frames[value].writers))
#define may_export \
	(may_begin && may_freeze_write && GUARD(EXPORT_OVERFLOW, last_version < VERSIONS))
#define may_keep(v) \
	(may_begin && my > 1 && stored[v] && GUARD(STORED_VERSION, version == v))
#define may_evict(v) \
	(may_begin && (stored[v] || my != session) && \
	 GUARD(EVICT_VERSION, version == v) && GUARD(EVICT_FROZEN, can_freeze(value)))
#define may_restore(record, v) \
	(stored[record] && GUARD(RESTORE_STALE, state == ABSENT && value == v) && \
	 GUARD(RESTORE_RECORD, record == v))

#define may_publish \
	(GUARD(RESTORE_STATE, state == ABSENT) && GUARD(RESTORE_ENTRY, value == f))

inline begin(nr)
{
	budget--;
	inside++;
	v = nr;
	f = value
}

inline leave()
{
	inside--;
	goto idle
}

inline decode(record)
{
	decoded_fresh[me] = record_fresh[record];
	goto restore
}

proctype pager(byte me)
{
	byte my = 1, v, f;

idle:
	atomic {
		v = 0;
		f = 0;
		decoded_fresh[me] = 0;
end_idle:
		if
		:: my != session -> my = session; goto idle
		:: may_enter && leads[0] && !shown[0] -> shown[0] = 1
		:: may_enter && leads[1] && !shown[1] -> shown[1] = 1
		:: may_begin && clean(my) ->
			budget--;
			assert(version && stored[version]);
			goto idle
		:: may_export ->
			if
			:: OFF(EXPORT_SPENDS) && last_version && !version
			/* A counter that passes its end begins anew. */
			:: else -> last_version = last_version % VERSIONS + 1
			fi;
			begin(last_version);
			frames[f].freeze_write = 1;
			spent = v;
			UNLESS_OFF(EXPORT_VERSION, version = 0);
			goto export
		:: may_keep(1) -> budget--; clean_for = my; goto idle
		:: may_keep(2) -> budget--; clean_for = my; goto idle
		:: may_evict(1) -> begin(1); frames[f].freeze_all = 1; goto evict
		:: may_evict(2) -> begin(2); frames[f].freeze_all = 1; goto evict
		:: may_begin && may_restore(1, 1) -> begin(1); decode(1)
		:: may_begin && may_restore(2, 2) -> begin(2); decode(2)
		:: may_begin && may_restore(1, 2) -> begin(2); decode(1)
		:: may_begin && may_restore(2, 1) -> begin(1); decode(2)
#ifdef ENDLESS
		:: may_enter && may_freeze_write ->
			inside++;
			f = value;
			frames[f].freeze_write = 1;
			goto vain
#endif
		fi;
		if
		:: state == ABSENT -> v = value; assert(stored[v])
		:: else -> events_update(); goto idle
		fi
	}
	/* The answer to that event, however late. */
	atomic {
		if
		:: may_enter && may_restore(v, v) -> inside++; f = value; decode(v)
		:: may_enter && GUARD(REFUSE_STALE, state == ABSENT && value == v) ->
			inside++;
			if
			:: true
			:: assert(value == v);
				set_state(ABSENT, LOST);
				value = 0
			fi;
			goto refuse
		:: else -> goto idle
		fi
	}

export:
	atomic {
		assert(state == PRESENT && value == f);
		assert(!sealed[v]);
		dirty = 0;
		sealed[v] = 1;
		record_fresh[v] = frames[f].fresh;
		frames[f].freeze_write = 0;
		f = 0
	}
	atomic {
		UNLESS_OFF(EXPORT_TELLS, page_changed());
		inside--
	}
	/* The copy to the pager, which holds nothing, lies between. */
	atomic {
		if
		:: my == session -> stored[v] = 1
		:: else
		fi;
		if
		:: may_enter && GUARD(EXPORTED_SPENT, spent == v) &&
		   GUARD(EXPORTED_DIRTY, !dirty) ->
			assert(record_fresh[v]);
			version = v;
			clean_for = my
		:: else
		fi;
		goto idle
	}

#ifdef ENDLESS
	/* A record that does not reach the pager, who asks for another one. */
vain:
	atomic {
		frames[f].freeze_write = 0;
		page_changed();
		leave()
	}
#endif

evict:
	atomic {
		if
		:: GUARD(EVICT_PINS, !pinned(f))
		:: else -> frames[f].freeze_all = 0; goto evicted
		fi
	}
	/* Writers that came before the freeze may have changed it. */
	atomic {
		if
		:: clean(my) ->
			assert(record_fresh[v] && stored[v]);
			/* An answer that nobody told yet was to another absence. */
			UNLESS_OFF(EVICT_ANSWERS, events_update());
			frame_leave(f);
			set_state(PRESENT, ABSENT);
			value = v;
			UNLESS_OFF(EVICT_ASKS, events_update());
			leave()
		:: else -> frames[f].freeze_all = 0
		fi
	}
evicted:
	atomic {
		UNLESS_OFF(EVICT_TELLS, page_changed());
		leave()
	}

restore:
	atomic {
		/* To any frame but one that somebody just looks into. */
		if
		:: may_publish && !pinned(0) -> f = 0
		:: may_publish && !pinned(1) -> f = 1
		:: !may_publish -> leave()
		fi;
		assert(decoded_fresh[me]);
		frames[f].fresh = 1;
		frames[f].ours = 1;
		version = v;
		spent = v;
		clean_for = my;
		set_state(ABSENT, PRESENT);
		value = f
	}
	atomic {
		UNLESS_OFF(RESTORE_TELLS, page_changed());
		leave()
	}

refuse:
	atomic {
		if
		:: OFF(REFUSE_FAILS)
		:: else -> waiter_refuse(0); waiter_refuse(1)
		fi;
		leave()
	}
}

/*
 * The session ends when no step of it is under way, and another begins. It need
 * not have kept records of what is not absent.
 */
proctype adopt()
{
	atomic {
		GUARD(FENCE_WAITS, !inside);
		session = 2;
		if
		:: true
		:: state != ABSENT -> stored[1] = 0
		fi;
		if
		:: true
		:: state != ABSENT -> stored[2] = 0
		fi;
		if
		:: OFF(ADOPT_SHOWS)
		:: else -> shown[0] = 0; shown[1] = 0
		fi
	}
}

init {
	atomic {
		set_state(EMPTY, PRESENT);
		frames[0].fresh = 1;
		frames[0].ours = 1;
		frames[0].writers = 1;
		writes[0] = 1;
		dirty = 1;
		run client(0);
		run client(1);
		run pager(0);
		run pager(1);
		run adopt()
	}
}
