/*
 * Lets AFL++ and libFuzzer mutate images with diskproof.
 *
 * The program named by the environment variable DISKPROOF_MUTATE (by default "diskproof mutate
 * --stdin") runs beside the fuzzer and answers requests over two pipes. All numbers are 32 bits wide
 * and big-endian:
 *
 *   request: seed, number of results, largest length of a result, length of the image, the image
 *   answer:  length and bytes of each result
 *
 * AFL++:     cc -O2 -shared -fPIC -o diskproof_mutator.so diskproof_mutator.c
 *            AFL_CUSTOM_MUTATOR_LIBRARY=$PWD/diskproof_mutator.so afl-fuzz ...
 * libFuzzer: link this file with the target.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Results that AFL++ gets for one input: one request for all of them is faster. */
#define BATCH 64

static int to_diskproof = -1, from_diskproof = -1;

static void give_up(const char *what) {
  fprintf(stderr, "diskproof_mutator: %s: %s\n", what, errno ? strerror(errno) : "end of file");
  exit(1);
}

static void start(void) {
  int request[2], answer[2];
  const char *command = getenv("DISKPROOF_MUTATE");
  if (to_diskproof >= 0) return;
  if (pipe(request) != 0 || pipe(answer) != 0) give_up("cannot make a pipe");
  signal(SIGPIPE, SIG_IGN);
  pid_t child = fork();
  if (child < 0) give_up("cannot start diskproof");
  if (child == 0) {
    dup2(request[0], STDIN_FILENO);
    dup2(answer[1], STDOUT_FILENO);
    /* diskproof ends with its standard input, of which no other process may have the other end. */
    for (int fd = 3; fd < 1024; fd++) close(fd);
    unsetenv("LD_PRELOAD");
    execl("/bin/sh", "sh", "-c", command ? command : "diskproof mutate --stdin", (char *)NULL);
    _exit(127);
  }
  close(request[0]);
  close(answer[1]);
  to_diskproof = request[1];
  from_diskproof = answer[0];
}

static void send_all(const void *data, size_t size) {
  for (size_t at = 0; at < size;) {
    ssize_t count = write(to_diskproof, (const char *)data + at, size - at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) give_up("cannot write to diskproof");
    at += (size_t)count;
  }
}

static void receive_all(void *data, size_t size) {
  for (size_t at = 0; at < size;) {
    errno = 0;
    ssize_t count = read(from_diskproof, (char *)data + at, size - at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) give_up("cannot read from diskproof");
    at += (size_t)count;
  }
}

static void put(uint8_t *to, uint32_t value) {
  for (int i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void request(uint32_t seed, uint32_t count, size_t max, const uint8_t *data, size_t size) {
  uint8_t head[16];
  put(head, seed);
  put(head + 4, count);
  put(head + 8, (uint32_t)max);
  put(head + 12, (uint32_t)size);
  start();
  send_all(head, sizeof head);
  send_all(data, size);
}

/* Reads one result, of which `max` bytes are kept. */
static size_t result(uint8_t *to, size_t max) {
  uint8_t head[4];
  receive_all(head, sizeof head);
  size_t size = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
  if (size > max) give_up("a result is too long");
  receive_all(to, size);
  return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed) {
  request(seed, 1, max_size, data, size);
  return result(data, max_size);
}

typedef struct {
  uint32_t seed;
  unsigned int left;
  size_t capacity;
  uint8_t *buffer;
} mutator_t;

void *afl_custom_init(void *afl, unsigned int seed) {
  mutator_t *mutator = calloc(1, sizeof *mutator);
  (void)afl;
  if (mutator != NULL) mutator->seed = seed;
  start();
  return mutator;
}

unsigned int afl_custom_fuzz_count(mutator_t *mutator, const uint8_t *data, size_t size) {
  (void)data, (void)size;
  while (mutator->left > 0) result(mutator->buffer, mutator->capacity), mutator->left--;
  return BATCH;
}

size_t afl_custom_fuzz(mutator_t *mutator, uint8_t *data, size_t size, uint8_t **out,
                       uint8_t *other, size_t other_size, size_t max_size) {
  (void)other, (void)other_size;
  if (mutator->capacity < max_size) {
    mutator->buffer = realloc(mutator->buffer, max_size);
    if (mutator->buffer == NULL) give_up("no memory");
    mutator->capacity = max_size;
  }
  if (mutator->left == 0) {
    request(mutator->seed++, BATCH, max_size, data, size);
    mutator->left = BATCH;
  }
  mutator->left--;
  *out = mutator->buffer;
  return result(mutator->buffer, max_size);
}

void afl_custom_deinit(mutator_t *mutator) {
  close(to_diskproof);
  free(mutator->buffer);
  free(mutator);
}
