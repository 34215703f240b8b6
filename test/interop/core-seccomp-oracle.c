// The oracle of core-seccomp.test.ts: builds the same filter with libseccomp and writes its BPF program to standard output.
// Standard input, a word each: "default ACTION", then "arch NAME" and "rule ACTION NAME COUNT (INDEX OP A B)*" in any number.
// Names that libseccomp does not know are written to standard error, one a line, and ignored, as runc ignores them.
#include <errno.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void fail(const char *what, int rc) {
  fprintf(stderr, "! %s: %s\n", what, strerror(rc < 0 ? -rc : EINVAL));
  exit(1);
}

static uint32_t arch_token(const char *name) {
  uint32_t token = seccomp_arch_resolve_name(name);
  if (token == 0) fail(name, -EINVAL);
  return token;
}

static void add_arch(scmp_filter_ctx filter) {
  char name[32];
  if (scanf("%31s", name) != 1) fail("arch", 0);
  int rc = seccomp_arch_add(filter, arch_token(name));
  if (rc < 0 && rc != -EEXIST) fail(name, rc);
}

static void add_rule(scmp_filter_ctx filter) {
  uint32_t action;
  char name[64];
  unsigned count;
  struct scmp_arg_cmp args[6];
  if (scanf("%" SCNu32 " %63s %u", &action, name, &count) != 3 || count > 6) fail("rule", 0);
  for (unsigned i = 0; i < count; i++) {
    unsigned index, op;
    uint64_t a, b;
    if (scanf("%u %u %" SCNu64 " %" SCNu64, &index, &op, &a, &b) != 4) fail(name, 0);
    args[i] = (struct scmp_arg_cmp){.arg = index, .op = (enum scmp_compare)op, .datum_a = a, .datum_b = b};
  }
  int number = seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR) {
    fprintf(stderr, "%s\n", name);
    return;
  }
  int rc = seccomp_rule_add_array(filter, action, number, count, args);
  if (rc < 0) fail(name, rc);
}

int main(void) {
  uint32_t action;
  char word[16];
  if (scanf(" default %" SCNu32, &action) != 1) fail("default", 0);
  scmp_filter_ctx filter = seccomp_init(action);
  if (filter == NULL) fail("init", -ENOMEM);
  while (scanf("%15s", word) == 1) {
    if (strcmp(word, "arch") == 0) add_arch(filter);
    else add_rule(filter);
  }
  int rc = seccomp_export_bpf(filter, STDOUT_FILENO);
  if (rc < 0) fail("export", rc);
  return 0;
}
