#include "base/pool.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct job {
	struct job *next;
	pool_fn work, done;
	void *data;
};

struct queue {
	struct job *first, **last;
};

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct queue submitted, finished; /* under the lock */
	bool ending;                      /* under the lock */
	int event_fd;
	size_t pending; /* owner thread only */
	size_t n_threads;
	pthread_t *threads;
};

static void queue_put(struct queue *queue, struct job *job)
{
	job->next = NULL;
	*queue->last = job;
	queue->last = &job->next;
}

static struct job *queue_take(struct queue *queue)
{
	struct job *job = queue->first;
	if (job) {
		queue->first = job->next;
		if (!queue->first)
			queue->last = &queue->first;
	}
	return job;
}

static void *worker(void *data)
{
	struct pool *pool = data;
	pthread_setname_np(pthread_self(), "pleach-worker");
	pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct job *job = queue_take(&pool->submitted);
		if (job) {
			pthread_mutex_unlock(&pool->lock);
			job->work(job->data);
			pthread_mutex_lock(&pool->lock);
			queue_put(&pool->finished, job);
			uint64_t one = 1;
			while (write(pool->event_fd, &one, sizeof(one)) < 0 && errno == EINTR)
				continue;
		} else if (pool->ending) {
			break;
		} else {
			pthread_cond_wait(&pool->more, &pool->lock);
		}
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

struct pool *pool_new(size_t n_threads)
{
	g_assert(n_threads > 0);
	struct pool *pool = g_new0(struct pool, 1);
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->more, NULL);
	pool->submitted.last = &pool->submitted.first;
	pool->finished.last = &pool->finished.first;
	pool->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pool->event_fd < 0)
		g_error("pool: eventfd: %s", g_strerror(errno));
	/* Signals are the owner thread's: workers are born with all of them blocked. */
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pool->threads = g_new0(pthread_t, n_threads);
	for (; pool->n_threads < n_threads; pool->n_threads++) {
		int fault = pthread_create(&pool->threads[pool->n_threads], NULL, worker, pool);
		if (fault && pool->n_threads == 0)
			g_error("pool: no worker thread can be started: %s", g_strerror(fault));
		if (fault)
			break; /* fewer workers than asked for do the same work */
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pool;
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	while (pool->pending > 0) {
		struct pollfd wait = { .fd = pool->event_fd, .events = POLLIN };
		poll(&wait, 1, -1);
		pool_dispatch(pool);
	}
	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	pthread_cond_broadcast(&pool->more);
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < pool->n_threads; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->more);
	pthread_mutex_destroy(&pool->lock);
	close(pool->event_fd);
	g_free(pool->threads);
	g_free(pool);
}

void pool_submit(struct pool *pool, pool_fn work, pool_fn done, void *data)
{
	struct job *job = g_new0(struct job, 1);
	job->work = work;
	job->done = done;
	job->data = data;
	pool->pending++;
	pthread_mutex_lock(&pool->lock);
	queue_put(&pool->submitted, job);
	pthread_cond_signal(&pool->more);
	pthread_mutex_unlock(&pool->lock);
}

int pool_fd(const struct pool *pool)
{
	return pool->event_fd;
}

void pool_dispatch(struct pool *pool)
{
	uint64_t count;
	while (read(pool->event_fd, &count, sizeof(count)) < 0 && errno == EINTR)
		continue;
	/* What finished by now; what done() adds comes with the next turn, so that one turn is bounded. */
	pthread_mutex_lock(&pool->lock);
	struct job *job = pool->finished.first;
	pool->finished.first = NULL;
	pool->finished.last = &pool->finished.first;
	pthread_mutex_unlock(&pool->lock);
	while (job) {
		struct job *next = job->next;
		pool->pending--;
		if (job->done)
			job->done(job->data);
		g_free(job);
		job = next;
	}
}

size_t pool_pending(const struct pool *pool)
{
	return pool->pending;
}
