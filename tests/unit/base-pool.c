#include "base/pool.h"

#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

struct job {
	struct pool *pool;
	pthread_t worked_on, done_on;
	int number, *order, *at;
	int again;
	bool blocked_signals;
};

static void work(void *data)
{
	struct job *job = data;
	job->worked_on = pthread_self();
	sigset_t set;
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	job->blocked_signals = sigismember(&set, SIGTERM) == 1;
}

static void done(void *data)
{
	struct job *job = data;
	job->done_on = pthread_self();
	if (job->order)
		job->order[(*job->at)++] = job->number;
	if (job->again > 0) {
		job->again--;
		pool_submit(job->pool, work, done, job);
	}
}

static void wait_for(struct pool *pool, size_t pending)
{
	while (pool_pending(pool) > pending) {
		struct pollfd wait = { .fd = pool_fd(pool), .events = POLLIN };
		g_assert_cmpint(poll(&wait, 1, 10000), ==, 1);
		pool_dispatch(pool);
	}
}

static void test_threads(void)
{
	struct pool *pool = pool_new(2);
	struct job job = { .pool = pool };
	pool_submit(pool, work, done, &job);
	g_assert_cmpuint(pool_pending(pool), ==, 1);
	wait_for(pool, 0);
	g_assert_true(pthread_equal(job.done_on, pthread_self()));
	g_assert_false(pthread_equal(job.worked_on, pthread_self()));
	g_assert_true(job.blocked_signals);
	struct pollfd idle = { .fd = pool_fd(pool), .events = POLLIN };
	g_assert_cmpint(poll(&idle, 1, 0), ==, 0);
	pool_free(pool);
}

static void test_order(void)
{
	enum { N = 500 };
	struct pool *pool = pool_new(1);
	struct job jobs[N];
	int order[N], at = 0;
	for (int i = 0; i < N; i++) {
		jobs[i] = (struct job) { .pool = pool, .number = i, .order = order, .at = &at };
		pool_submit(pool, work, done, &jobs[i]);
	}
	wait_for(pool, 0);
	g_assert_cmpint(at, ==, N);
	for (int i = 0; i < N; i++)
		g_assert_cmpint(order[i], ==, i);
	pool_free(pool);
}

static void test_free_runs_to_the_end(void)
{
	struct pool *pool = pool_new(4);
	struct job job = { .pool = pool, .again = 100 };
	struct job silent = { .pool = pool };
	pool_submit(pool, work, done, &job);
	pool_submit(pool, work, NULL, &silent);
	pool_free(pool);
	g_assert_cmpint(job.again, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/pool/threads", test_threads);
	g_test_add_func("/pool/order", test_order);
	g_test_add_func("/pool/free", test_free_runs_to_the_end);
	return g_test_run();
}
