// What --format says in help: one text for list commands, one for inspect.

const GO_TEMPLATES =
  "Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates";

/** Of commands that print tables. */
export const FORMAT_HELP: string = [
  "Format output using a custom template:",
  "'table':            Print output in table format with column headers (default)",
  "'table TEMPLATE':   Print output in table format using the given Go template",
  "'json':             Print in JSON format",
  "'TEMPLATE':         Print output using the given Go template.",
  GO_TEMPLATES,
].join("\n");

/** Of commands that print objects. */
export const INSPECT_FORMAT_HELP: string = [
  "Format output using a custom template:",
  "'json':             Print in JSON format",
  "'TEMPLATE':         Print output using the given Go template.",
  GO_TEMPLATES,
].join("\n");
