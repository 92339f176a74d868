#include "keeper/loop.h"

#include "base/clock.h"

#include <errno.h>
#include <unistd.h>

enum { EVENTS_PER_TURN = 64 };

struct loop {
	int epoll_fd;
	GSequence *timers; /* struct loop_timer *, soonest first */
	GPtrArray *dead;   /* sources removed in this turn */
};

struct loop_source {
	struct loop *loop;
	int fd;
	uint32_t events;
	loop_event_fn fn;
	void *data;
	bool removed;
};

struct loop_timer {
	gint64 at_us;
	loop_timer_fn fn;
	void *data;
	GSequenceIter *place;
};

static int sooner(const void *a, const void *b, void *data)
{
	gint64 x = ((const struct loop_timer *) a)->at_us, y = ((const struct loop_timer *) b)->at_us;
	return x < y ? -1 : x > y;
}

struct loop *loop_new(GError **error)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0) {
		pleach_error_errno(error, errno, "create an epoll descriptor");
		return NULL;
	}
	struct loop *loop = g_new0(struct loop, 1);
	loop->epoll_fd = fd;
	loop->timers = g_sequence_new(g_free);
	loop->dead = g_ptr_array_new_with_free_func(g_free);
	return loop;
}

void loop_free(struct loop *loop)
{
	close(loop->epoll_fd);
	g_sequence_free(loop->timers);
	g_ptr_array_unref(loop->dead);
	g_free(loop);
}

struct loop_source *loop_add(struct loop *loop, int fd, uint32_t events, loop_event_fn fn, void *data, GError **error)
{
	struct loop_source *source = g_new0(struct loop_source, 1);
	*source = (struct loop_source) { loop, fd, events, fn, data, false };
	struct epoll_event event = { .events = events, .data.ptr = source };
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		pleach_error_errno(error, errno, "wait for descriptor %d", fd);
		g_free(source);
		return NULL;
	}
	return source;
}

void loop_modify(struct loop_source *source, uint32_t events)
{
	if (source->events == events)
		return;
	source->events = events;
	struct epoll_event event = { .events = events, .data.ptr = source };
	epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event);
}

void loop_remove(struct loop_source *source)
{
	if (!source)
		return;
	epoll_ctl(source->loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	source->removed = true;
	g_ptr_array_add(source->loop->dead, source);
}

struct loop_timer *loop_after(struct loop *loop, gint64 after_ms, loop_timer_fn fn, void *data)
{
	struct loop_timer *timer = g_new0(struct loop_timer, 1);
	*timer = (struct loop_timer) { clock_monotonic_us() + after_ms * 1000, fn, data, NULL };
	timer->place = g_sequence_insert_sorted(loop->timers, timer, sooner, NULL);
	return timer;
}

void loop_cancel(struct loop_timer *timer)
{
	if (timer)
		g_sequence_remove(timer->place);
}

static int wait_ms(struct loop *loop)
{
	GSequenceIter *first = g_sequence_get_begin_iter(loop->timers);
	if (g_sequence_iter_is_end(first))
		return -1;
	gint64 left_us = ((struct loop_timer *) g_sequence_get(first))->at_us - clock_monotonic_us();
	return left_us <= 0 ? 0 : (int) MIN((left_us + 999) / 1000, G_MAXINT);
}

static void run_timers(struct loop *loop)
{
	gint64 now_us = clock_monotonic_us();
	for (;;) {
		GSequenceIter *first = g_sequence_get_begin_iter(loop->timers);
		if (g_sequence_iter_is_end(first))
			return;
		struct loop_timer timer = *(struct loop_timer *) g_sequence_get(first);
		if (timer.at_us > now_us)
			return;
		g_sequence_remove(first);
		timer.fn(timer.data);
	}
}

bool loop_turn(struct loop *loop, GError **error)
{
	struct epoll_event events[EVENTS_PER_TURN];
	int n = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN, wait_ms(loop));
	if (n < 0 && errno != EINTR)
		return pleach_error_errno(error, errno, "wait for events");
	for (int i = 0; i < n; i++) {
		struct loop_source *source = events[i].data.ptr;
		if (!source->removed)
			source->fn(source->data, events[i].events);
	}
	run_timers(loop);
	g_ptr_array_set_size(loop->dead, 0);
	return true;
}
