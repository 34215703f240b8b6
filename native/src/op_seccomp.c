// The operations that install a seccomp filter (seccomp(2)), with a listener for another process (seccomp_unotify(2)) or without.
#include <linux/seccomp.h>

#include "channel.h"
#include "run.h"
#include "sys.h"

// The listener's descriptor when the flags ask for one, or a negative errno.
static long install(struct cursor *f) {
  uint32_t flags = get_u32(f);
  struct bytes filter = get_bytes(f);
  if (f->bad || filter.length % 8 != 0) return -EBADMSG;
  struct {
    uint16_t length;
    const void *filter;
  } program = {.length = (uint16_t)(filter.length / 8), .filter = filter.at};
  return sys3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

int op_seccomp(struct run *run, struct cursor *f) {
  long ret = install(f);
  return ret < 0 ? fail_at(run, (int)-ret, "install seccomp filter", "") : 0;
}

int op_seccomp_notify(struct run *run, struct cursor *f) {
  long listener = install(f);
  if (listener < 0) return fail_at(run, (int)-listener, "install seccomp filter with a listener", "");
  struct channel_message message = {.kind = CHANNEL_LISTENER};
  int error = send_descriptor(run->report, (int)listener, &message, sizeof message);
  // Ours would keep the listener open when the agent is gone, and this process waiting for it.
  (void)sys_close((int)listener);
  return error;
}
