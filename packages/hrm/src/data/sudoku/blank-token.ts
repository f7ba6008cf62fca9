/** The token of a blank; digit d is token d + 1 and padding is 0, so there are size + 2 tokens. */
export const BLANK_TOKEN = 1;
