// custom: holds objects of the Prometheus operator and KEDA to their definitions, twice: values by the JSON
// schemas, and names by the types, since a schema of theirs takes a name that it does not know.
//
//   node custom.mjs <OBJECTS     an array as JSON; a line for whatever is wrong, and exit code 1
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { ScaledObject } from "@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject";
import { PrometheusRule } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule";
import { ServiceMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor";

const OPERATOR = "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
const KINDS = {
  PrometheusRule: [PrometheusRule, OPERATOR],
  ScaledObject: [ScaledObject, "@kubernetes-models/keda/keda.sh/v1alpha1"],
  ServiceMonitor: [ServiceMonitor, OPERATOR],
};

function say(object, text) {
  console.log(`${object.kind} ${object.metadata?.name}: ${text}`);
  process.exitCode = 1;
}

function checkValues(object) {
  try {
    const [kind] = KINDS[object.kind];
    if (kind.apiVersion !== object.apiVersion) throw new Error(`${object.kind} is of ${kind.apiVersion}`);
    new kind(object).validate();
  } catch (error) {
    say(object, error.message);
  }
}

// One object a line, so that a diagnostic's line says whose it is.
function checkNames(objects) {
  const name = fileURLToPath(new URL("objects.ts", import.meta.url)); // beside the packages; never written
  const text = objects
    .map((o, i) => `export const o${i}: import("${KINDS[o.kind][1]}/${o.kind}").I${o.kind} = ${JSON.stringify(o)};`)
    .join("\n");
  const options = { strict: true, noEmit: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ESNext,
                    module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.getSourceFile = (file, ...more) =>
    file === name ? ts.createSourceFile(file, text, options.target) : getSourceFile(file, ...more);
  host.fileExists = (file) => file === name || fileExists(file);
  for (const problem of ts.getPreEmitDiagnostics(ts.createProgram([name], options, host))) {
    const line = problem.file?.getLineAndCharacterOfPosition(problem.start).line ?? 0;
    say(objects[line], ts.flattenDiagnosticMessageText(problem.messageText, " "));
  }
}

const objects = JSON.parse(readFileSync(0, "utf8"));
objects.forEach(checkValues);
checkNames(objects);
