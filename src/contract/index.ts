/** The generated contract: what travels between Phoenix and a skill, and between installations. The source is proto/. */
export * as federation from './gen/federation.ts';
export * as health from './gen/grpc/health/v1/health.ts';
export * as reflection from './gen/grpc/reflection/v1/reflection.ts';
export * from './gen/skills.ts';
