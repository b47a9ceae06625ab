"""The contract: messages and stubs that protoc wrote."""
