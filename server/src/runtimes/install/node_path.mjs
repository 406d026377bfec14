// ES modules find packages through NODE_PATH, as they do on AWS: Node.js itself honours it for require() only.
// Asked only after Node's own resolution found nothing, so nothing that works without it changes.
import module from "node:module";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve as resolvePath } from "node:path";
import { pathToFileURL } from "node:url";

const isBare = (specifier) => !/^(?:\.{0,2}\/|[a-zA-Z][a-zA-Z0-9+.-]*:|#)/.test(specifier);

const places = (process.env.NODE_PATH ?? "")
  .split(":")
  .filter((folder) => basename(folder) === "node_modules")
  .map((folder) => pathToFileURL(join(dirname(folder), "_")).href);
const require = module.createRequire(import.meta.url);

// What can be tried for a specifier that was not found, in turn: each `node_modules` of NODE_PATH with the rules
// of `import`, then all of it with those of `require`, which also know files and folders beside packages.
function* others(specifier, context) {
  for (const parentURL of places) yield [specifier, { ...context, parentURL }];
  let found;
  try {
    found = require.resolve(specifier);
  } catch {
    return;
  }
  yield [pathToFileURL(found).href, context];
}

const isMissing = (error, specifier) => error?.code === "ERR_MODULE_NOT_FOUND" && isBare(specifier);

function resolveSync(specifier, context, next) {
  try {
    return next(specifier, context);
  } catch (error) {
    if (!isMissing(error, specifier)) throw error;
    for (const [other, where] of others(specifier, context)) {
      try {
        return next(other, where);
      } catch (again) {
        if (again?.code !== "ERR_MODULE_NOT_FOUND") throw again;
      }
    }
    throw error;
  }
}

// For the thread of `module.register`.
export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!isMissing(error, specifier)) throw error;
    for (const [other, where] of others(specifier, context)) {
      try {
        return await next(other, where);
      } catch (again) {
        if (again?.code !== "ERR_MODULE_NOT_FOUND") throw again;
      }
    }
    throw error;
  }
}

// Whether the handler is an ES module, by the rules of the runtime client.
function handlerIsModule() {
  const { LAMBDA_TASK_ROOT: root = "/", _HANDLER: handler = "" } = process.env;
  const folder = resolvePath(root, dirname(handler));
  const file = join(folder, basename(handler).split(".", 1)[0]);
  if (!existsSync(`${file}.js`)) return existsSync(`${file}.mjs`);
  for (let at = folder; ; at = dirname(at)) {
    const manifest = join(at, "package.json");
    try {
      if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, "utf8")).type === "module";
    } catch {
      return false;
    }
    if (at === dirname(at)) return false;
  }
}

export function install() {
  if (module.registerHooks) {
    module.registerHooks({ resolve: resolveSync });
  } else if (handlerIsModule()) {
    // Costs a thread, some 10 MB and some 40 ms: not for handlers that use require().
    module.register(import.meta.url);
  }
}
