// The view: Preact, its hooks, and htm in place of JSX, so that the page's own modules need no build step.
import { h, render, Fragment } from "preact";
import htm from "htm";

export { h, render, Fragment };
export { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
export const html = htm.bind(h);
