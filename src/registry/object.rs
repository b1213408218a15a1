//! An object of any kind that requests may create or change.

use chrono::{DateTime, Utc};
use k8s_openapi::Metadata as _;
use serde_json::Value;

use super::strategy::Strategy;
use crate::api::compatibility::Findings;
use crate::api::decode::strict::{self, Decoded, TypeError};
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{name, namespace};
use crate::api::status_error::FieldError;
use crate::api::{
    ClusterRole, ClusterRoleBinding, ConfigMap, ControllerRevision, CronJob, Job, LimitRange, Namespace,
    NetworkPolicy, Node, ObjectMeta, PersistentVolumeClaim, Pod, PriorityClass, ResourceQuota, Role,
    RoleBinding, Secret, Service, ServiceAccount, StatefulSet,
};

/// Hands all kinds to a macro.
macro_rules! with_kinds {
    ($then:ident) => {
        $then! {
            ClusterRole,
            ClusterRoleBinding,
            ConfigMap,
            ControllerRevision,
            CronJob,
            Job,
            LimitRange,
            Namespace,
            NetworkPolicy,
            Node,
            PersistentVolumeClaim,
            Pod,
            PriorityClass,
            ResourceQuota,
            Role,
            RoleBinding,
            Secret,
            Service,
            ServiceAccount,
            StatefulSet,
        }
    };
}
pub(crate) use with_kinds;

/// Makes the enum of all kinds, and what each of them does by its own [`Strategy`].
macro_rules! objects {
    ($($kind:ident),+ $(,)?) => {
        /// A decoded object.
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "the variants are Kubernetes' kinds")]
        pub enum Object {
            $($kind(Box<$kind>)),+
        }

        $(impl From<$kind> for Object {
            fn from(object: $kind) -> Self {
                Self::$kind(Box::new(object))
            }
        }

        impl From<Box<$kind>> for Object {
            fn from(object: Box<$kind>) -> Self {
                Self::$kind(object)
            }
        })+

        impl Object {
            /// Decodes an object, with the fields that its type does not have.
            ///
            /// # Errors
            /// Fields of a wrong type.
            pub fn decode(kind: Kind, value: &Value) -> Option<Result<Decoded<Self>, TypeError>> {
                Some(match kind {
                    $($kind::KIND => strict::from_value::<$kind>(value).map(|decoded| Decoded {
                        object: decoded.object.into(),
                        unknown_fields: decoded.unknown_fields,
                    }),)+
                    _ => return None,
                })
            }

            /// Decodes a stored object; nothing for kinds that nobody changes.
            ///
            /// # Errors
            /// Fields of a wrong type.
            pub fn read(kind: Kind, text: &str) -> Option<serde_json::Result<Self>> {
                Some(match kind {
                    $($kind::KIND => serde_json::from_str::<Box<$kind>>(text).map(Self::from),)+
                    _ => return None,
                })
            }

            /// The object's metadata.
            pub fn meta(&self) -> &ObjectMeta {
                match self {
                    $(Self::$kind(object) => object.metadata()),+
                }
            }

            /// The object's metadata, to change.
            pub fn meta_mut(&mut self) -> &mut ObjectMeta {
                match self {
                    $(Self::$kind(object) => object.metadata_mut()),+
                }
            }

            /// The object's kind.
            pub fn kind(&self) -> Kind {
                match self {
                    $(Self::$kind(_) => $kind::KIND),+
                }
            }

            /// The object as JSON text.
            ///
            /// # Errors
            /// Never in practice: objects always encode.
            pub fn to_text(&self) -> serde_json::Result<String> {
                match self {
                    $(Self::$kind(object) => serde_json::to_string(object)),+
                }
            }

            /// The object as a value.
            ///
            /// # Errors
            /// Never in practice: objects always encode.
            pub fn to_value(&self) -> serde_json::Result<Value> {
                match self {
                    $(Self::$kind(object) => serde_json::to_value(object)),+
                }
            }

            fn write_to(&self, writer: impl std::io::Write) -> serde_json::Result<()> {
                match self {
                    $(Self::$kind(object) => serde_json::to_writer(writer, object)),+
                }
            }

            /// [`Strategy::set_defaults`].
            pub fn set_defaults(&mut self) {
                match self {
                    $(Self::$kind(object) => object.set_defaults()),+
                }
            }

            /// [`Strategy::prepare_for_create`].
            pub fn prepare_for_create(&mut self, uid: &str, now: DateTime<Utc>) {
                match self {
                    $(Self::$kind(object) => object.prepare_for_create(uid, now)),+
                }
            }

            /// [`Strategy::validate`].
            pub fn validate(&self) -> Vec<FieldError> {
                match self {
                    $(Self::$kind(object) => object.validate()),+
                }
            }

            /// [`Strategy::canonicalize`].
            pub fn canonicalize(&mut self) {
                match self {
                    $(Self::$kind(object) => object.canonicalize()),+
                }
            }

            /// Fills in what the API server would, and takes what only the server writes from the object that is
            /// replaced. Returns every rule that replacing it so would break.
            pub fn prepare_for_update(&mut self, old: &Self) -> Vec<FieldError> {
                match (self, old) {
                    $((Self::$kind(new), Self::$kind(old)) => {
                        new.set_defaults();
                        new.prepare_for_update(old);
                        new.validate_update(old)
                    })+
                    (new, _) => {
                        vec![FieldError::invalid("kind", new.kind(), "the kind of an object cannot change")]
                    }
                }
            }

            /// Takes everything but the status from the object that is replaced.
            pub fn keep_all_but_status(&mut self, old: &Self) {
                match (self, old) {
                    $((Self::$kind(new), Self::$kind(old)) => new.keep_all_but_status(old),)+
                    _ => {}
                }
            }

            /// [`Strategy::warnings`].
            pub fn warnings(&self) -> Vec<String> {
                match self {
                    $(Self::$kind(object) => object.warnings()),+
                }
            }

            /// [`Strategy::findings`].
            pub fn findings(&self, manifest: &Value) -> Findings {
                match self {
                    $(Self::$kind(_) => $kind::findings(manifest)),+
                }
            }
        }
    };
}

with_kinds!(objects);

impl Object {
    /// Where the object is stored.
    pub fn key(&self) -> Key {
        self.kind().key(namespace(self.meta()), name(self.meta()))
    }

    /// The object as a value without a resourceVersion: for comparing what it says.
    ///
    /// # Errors
    /// Never in practice: objects always encode.
    pub fn to_unversioned(&self) -> serde_json::Result<Value> {
        let mut value = self.to_value()?;
        if let Some(metadata) = value["metadata"].as_object_mut() {
            metadata.remove("resourceVersion");
        }
        Ok(value)
    }

    /// How many bytes the object takes when it is stored.
    pub fn size(&self) -> usize {
        struct Counted(usize);
        impl std::io::Write for &mut Counted {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0 += bytes.len();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut counted = Counted(0);
        // Writing to a counter does not fail, and objects always encode.
        let _ = self.write_to(&mut counted);
        counted.0
    }
}
