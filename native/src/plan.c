// Decoding of the launch plan: nothing is believed before it was checked against the end of the mapping; see plan.h.
#include "plan.h"

#include <linux/mman.h>
#include <linux/stat.h>

#include "sys.h"
#include "text.h"

#define PLAN_MAX_BYTES (16U * 1024 * 1024)

static const uint8_t *take(struct cursor *c, size_t length) {
  if (c->bad || (size_t)(c->end - c->at) < length) {
    c->bad = true;
    return NULL;
  }
  const uint8_t *at = c->at;
  c->at += length;
  return at;
}

uint32_t get_u32(struct cursor *c) {
  uint32_t value = 0;
  const uint8_t *at = take(c, sizeof value);
  if (at != NULL) copy_bytes(&value, at, sizeof value);
  return value;
}

uint64_t get_u64(struct cursor *c) {
  uint64_t value = 0;
  const uint8_t *at = take(c, sizeof value);
  if (at != NULL) copy_bytes(&value, at, sizeof value);
  return value;
}

struct bytes get_bytes(struct cursor *c) {
  uint32_t length = get_u32(c);
  const uint8_t *at = take(c, length);
  return (struct bytes){.at = at, .length = at == NULL ? 0 : length};
}

// The length must be the text's own: a NUL inside would let TypeScript and C see two different values.
const char *get_str(struct cursor *c) {
  uint32_t length = get_u32(c);
  if (length == UINT32_MAX) c->bad = true;
  const uint8_t *at = take(c, (size_t)length + 1);
  if (at == NULL || at[length] != 0 || text_length((const char *)at) != length) {
    c->bad = true;
    return "";
  }
  return (const char *)at;
}

struct list get_strs(struct cursor *c) {
  uint32_t count = get_u32(c);
  struct list list = {.items = *c, .count = count};
  for (uint32_t i = 0; i < count && !c->bad; i++) (void)get_str(c);
  return list;
}

struct list get_u32s(struct cursor *c) {
  uint32_t count = get_u32(c);
  struct list list = {.items = *c, .count = count};
  (void)take(c, (size_t)count * sizeof(uint32_t));
  return list;
}

static void read_header(struct cursor *c, struct plan *plan) {
  plan->flags = get_u32(c);
  plan->clone_flags = get_u64(c);
  plan->container_dir = get_str(c);
  plan->id = get_str(c);
  plan->log_path = get_str(c);
  plan->log_max_bytes = get_u64(c);
  plan->log_max_files = get_u32(c);
  plan->log_attrs = get_str(c);
  plan->log_buffer = get_u64(c);
  plan->reap_argv = get_strs(c);
  plan->rows = get_u32(c);
  plan->cols = get_u32(c);
  plan->attach = get_u32(c);
  plan->cgroup_v2 = get_str(c);
  plan->freezer_file = get_str(c);
  plan->oom_file = get_str(c);
  plan->pid_ns = get_str(c);
  plan->user_ns = get_str(c);
  plan->early_ns = get_strs(c);
  plan->console_socket = get_str(c);
  plan->pidfd_socket = get_str(c);
  plan->preserve = get_u32(c);
  plan->uid_map = get_u32s(c);
  plan->gid_map = get_u32s(c);
  plan->uid_helper = get_str(c);
  plan->gid_helper = get_str(c);
  plan->op_count = get_u32(c);
}

int plan_parse(const uint8_t *base, size_t size, struct plan *plan) {
  struct cursor c = {.at = base, .end = base + size, .bad = false};
  plan->base = base;
  plan->size = size;
  if (get_u32(&c) != PLAN_MAGIC || get_u32(&c) != PLAN_VERSION) return EPROTO;
  if (get_u32(&c) != size) return EBADMSG;
  read_header(&c, plan);
  plan->ops = c;
  uint32_t count = 0;
  uint32_t code;
  struct cursor fields;
  while (plan_next(&c, &code, &fields)) count++;
  return c.bad || count != plan->op_count ? EBADMSG : 0;
}

bool plan_next(struct cursor *ops, uint32_t *code, struct cursor *fields) {
  if (ops->bad || ops->at == ops->end) return false;
  *code = get_u32(ops);
  struct bytes body = get_bytes(ops);
  if (ops->bad) return false;
  *fields = (struct cursor){.at = body.at, .end = body.at + body.length, .bad = false};
  return true;
}

int plan_read(int fd, struct plan *plan) {
  struct statx st;
  long ret = sys5(__NR_statx, fd, "", LAP_AT_EMPTY_PATH, STATX_SIZE, &st);
  if (ret < 0) return (int)-ret;
  if (st.stx_size == 0 || st.stx_size > PLAN_MAX_BYTES) return EFBIG;
  long base = sys6(__NR_mmap, 0, st.stx_size, 0x1, MAP_PRIVATE, fd, 0);
  if (base < 0 && base > -4096) return (int)-base;
  return plan_parse((const uint8_t *)base, (size_t)st.stx_size, plan);
}
