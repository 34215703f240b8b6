// `lap search`: asks Docker Hub's index over HTTPS, as the daemon does.
import { LapError } from "@lapstrake/base";
import { searchHub, type FoundImage } from "@lapstrake/engine";
import { FILTER_FLAG, filterBool, matchesAll, parseFilters } from "../args/filters.ts";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { out } from "../output/print.ts";
import { table } from "../output/table.ts";
import { formatRows } from "../output/template.ts";

const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 100;
const DESCRIPTION_WIDTH = 45;
const HEADERS = { Name: "NAME", Description: "DESCRIPTION", StarCount: "STARS", IsOfficial: "OFFICIAL" };

export const searchCommand: Command = {
  name: "search",
  usage: "[OPTIONS] TERM",
  summary: "Search Docker Hub for images",
  minArgs: 1,
  maxArgs: 1,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    FILTER_FLAG,
    { long: "format", kind: "string", help: "Pretty-print search using a Go template" },
    { long: "limit", kind: "int", help: "Max number of search results" },
    { long: "no-trunc", kind: "bool", help: "Don't truncate output" },
  ],
  async run({ flags, args }) {
    const read = readFlags(flags);
    const filters = parseFilters(read.list("filter"), FILTERS);
    const limit = read.number("limit") ?? DEFAULT_LIMIT;
    if (limit < 1 || limit > MAX_LIMIT) {
      const message = `limit ${limit} is outside the range of [1, ${MAX_LIMIT}]`;
      throw new LapError("invalidArgument", "ERR_LAP_SEARCH_LIMIT", message);
    }
    const found = (await searchHub(args[0]!, limit)).filter((each) => matchesAll(each, filters, FILTERS));
    const rows = found.map((each) => fields(each, read.bool("no-trunc")));
    const format = read.text("format");
    const keys = Object.keys(HEADERS) as (keyof typeof HEADERS)[];
    const plain = table(
      Object.values(HEADERS),
      rows.map((row) => keys.map((key) => row[key]!)),
    );
    out(format === undefined ? plain : formatRows(format, rows, "search.searchContext", plain, HEADERS));
    return 0;
  },
};

const FILTERS: Readonly<Record<string, (image: FoundImage, value: string) => boolean>> = {
  "is-official": ({ isOfficial }, value) => isOfficial === filterBool("is-official", value),
  "is-automated": (_image, value) => !filterBool("is-automated", value),
  stars: ({ stars }, value) => stars >= Number(value),
};

function fields({ name, description, stars, isOfficial }: FoundImage, noTrunc: boolean): Record<string, string> {
  const text = description.replaceAll(/[\n\r]+/g, " ");
  const isCut = !noTrunc && text.length > DESCRIPTION_WIDTH;
  return {
    Description: isCut ? `${text.slice(0, DESCRIPTION_WIDTH - 1)}…` : text,
    IsAutomated: "",
    IsOfficial: isOfficial ? "[OK]" : "",
    Name: name,
    StarCount: String(stars),
  };
}
