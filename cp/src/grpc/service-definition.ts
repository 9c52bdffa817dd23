import { fromBinary, toBinary, type DescMessage, type DescService, type MessageShape } from '@bufbuild/protobuf'
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'

/** A service as protobuf-es generates it, in the form that grpc-js serves: one code generation drives both stacks. */
export function serviceDefinition(service: DescService): ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.localName, definitionOf(service, method)]))
}

function definitionOf(
  service: DescService,
  { name, methodKind, input, output }: DescService['methods'][number],
): MethodDefinition<unknown, unknown> {
  return {
    path: `/${service.typeName}/${name}`,
    requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
    responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
    ...codec('request', input),
    ...codec('response', output),
  } as MethodDefinition<unknown, unknown>
}

function codec(side: 'request' | 'response', schema: DescMessage) {
  return {
    [`${side}Serialize`]: (message: MessageShape<DescMessage>) => Buffer.from(toBinary(schema, message)),
    [`${side}Deserialize`]: (bytes: Buffer) => fromBinary(schema, bytes),
  }
}
