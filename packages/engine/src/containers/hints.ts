// Texts that more than one check prints.

export const HOST_FLAGS_HINT = "--include, --mask and --no-mask are for the image `host` only";
